"""Names of the API: its headers, and its documented fields with what each of them holds.

The recorder and the check of documented fields use them. The decoder (`ncr.wire`) names the fields
that it reads in its structs.
"""

from collections.abc import Mapping
from typing import Literal

ACCESS_KEY_HEADER = "x-ncp-iam-access-key"
SIGNATURE_HEADER = "x-ncp-apigw-signature-v2"
TIMESTAMP_HEADER = "x-ncp-apigw-timestamp"
"""Milliseconds since the epoch, as they were signed."""
ORIGIN_HEADER = "x-ncp-apigw-response-origin"
"""Who sent the response: `APIGW` or `ENDPOINT`."""
TRACE_HEADER = "x-ncp-trace-id"
REQUEST_ID_HEADER = "x-ncp-request-id"
"""Ids that the vendor's support asks for: of the gateway, and of version 3."""
LANGUAGE_HEADER = "x-ncp-lang"
"""The language of an error's `detail`, in requests of version 3."""

RESULTS, COUNT, NEXT = "results", "count", "next"
"""The keys of a page of version 2 that the client reads."""
TOTALS = ("totalElements", "totalPages", "pageNo", "pageSize")
"""The keys of a page of version 3 that say something of its list, as sister services have them."""
ERROR, RETURN_CODE = "error", "returnCode"
"""The keys of an error: the gateway's or version 3's, and the service's in version 2."""

Content = Literal[
    "name",
    "registry",
    "digest",
    "public host",
    "private host",
    "time",
    "plain",
    "sentence",
    "private",
]
"""What a field holds. `plain`: numbers, switches and words that identify nobody; `private`:
anything else."""

Fields = Mapping[str, Content]

_V2_FIELDS: Mapping[str, Fields] = {
    "registry": {
        "name": "name",
        "bucket": "private",
        "created": "time",
        "end_point": "public host",
        "end_point_enabled": "plain",
        "private_end_point": "private host",
        "private_id": "private",
        "public_reg_status": "plain",
        "scan_on_push_enabled": "plain",
        "status": "plain",
    },
    "image": {
        "name": "name",
        "namespace": "registry",
        "can_edit": "plain",
        "description": "private",
        "is_automated": "plain",
        "is_private": "plain",
        "last_updated": "time",
        "pull_count": "plain",
        "repository_type": "plain",
        "star_count": "plain",
        "status": "plain",
        "user": "private",
    },
    "tag": {
        "name": "name",
        "creator": "private",
        "digest": "digest",
        "full_size": "plain",
        "id": "private",
        "image_id": "private",
        "images": "private",
        "last_updated": "time",
        "last_updater": "private",
        "repository": "private",
        "v2": "plain",
    },
    "platform": {
        "architecture": "plain",
        "created": "time",
        "digest": "digest",
        "features": "plain",
        "latest_pulled": "time",
        "mediaType": "plain",
        "os": "plain",
        "os_features": "plain",
        "os_version": "plain",
        "size": "plain",
        "updated": "time",
        "variant": "plain",
    },
}

_V3_FIELDS: Mapping[str, Fields] = {
    "registry": {
        "name": "name",
        "bucketName": "private",
        "createdDateTime": "time",
        "privateEndpointHost": "private host",
        "publicEndpointEnabled": "plain",
        "publicEndpointHost": "public host",
        "publicRegistryEnabled": "plain",
        "scanOnPushEnabled": "plain",
        "status": "plain",
        "storageTypeCode": "plain",
    },
    "image": {
        "name": "name",
        "description": "private",
        "lastPulledDateTime": "time",
        "lastPushedDateTime": "time",
        "pullCount": "plain",
        "registryName": "registry",
    },
    "tag": {
        "name": "name",
        "digest": "digest",
        "fullSize": "plain",
        "images": "private",
        "updatedDateTime": "time",
    },
    "platform": {
        "architecture": "plain",
        "createdDateTime": "time",
        "digest": "digest",
        "lastPulledDateTime": "time",
        "mediaType": "plain",
        "os": "plain",
        "size": "plain",
        "updatedDateTime": "time",
        "variant": "plain",
    },
}

RECORD_FIELDS: Mapping[str, Mapping[str, Fields]] = {"v2": _V2_FIELDS, "v3": _V3_FIELDS}
"""Version → type of record → its documented fields. Source: the vendor's pages of the lists."""

ENVELOPE_FIELDS: Fields = {
    COUNT: "plain",
    NEXT: "plain",
    "previous": "plain",
    **dict.fromkeys(TOTALS, "plain"),
}
"""The fields of a page beside its records, of both versions."""

ERROR_FIELDS: Fields = {
    "errorCode": "plain",
    "message": "sentence",
    "details": "sentence",
    "detail": "sentence",
    "field": "plain",
    RETURN_CODE: "plain",
    "returnMessage": "sentence",
}
"""The fields of an error: of `{"error": {…}}`, whose items of `fieldErrors` have `field` and
`message` too, and of the service's body as clients of version 2 saw it."""
