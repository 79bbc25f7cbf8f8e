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
"""An id that the vendor's support asks for."""

RESULTS, COUNT, NEXT = "results", "count", "next"
"""The keys of a page that the client reads."""

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

RECORD_FIELDS: Mapping[str, Fields] = {
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
"""Type of record → its documented fields. Source: the vendor's pages of the list operations."""

ENVELOPE_FIELDS: Fields = {COUNT: "plain", NEXT: "plain", "previous": "plain"}
"""The fields of a page beside its records."""

ERROR_FIELDS: Fields = {
    "errorCode": "plain",
    "message": "sentence",
    "details": "sentence",
    "returnCode": "plain",
    "returnMessage": "sentence",
}
"""The fields of the gateway's `{"error": {…}}`, and of the service's body as clients saw it."""
