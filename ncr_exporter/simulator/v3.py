"""Version 3 of the simulated API: the records and errors of version 2, translated.

Source of names, types and limits: the vendor's reference of version 3. It does not show the
envelope of a list, so there are several to choose from.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ncr_exporter.config.zones import V3_LARGEST_PAGE, V3_PREFIX
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.ncr.vocabulary import LANGUAGE_HEADER
from ncr_exporter.simulator.api_records import JsonRecord
from ncr_exporter.simulator.responses import json_response, service_error

_DEFAULT_PAGE = "20"
_LARGEST_NUMBER = 10**9

_Names = Mapping[str, str]
"""Field of version 2 → of version 3; empty if version 3 has it not."""

_REGISTRY: _Names = {
    "bucket": "bucketName",
    "created": "createdDateTime",
    "end_point": "publicEndpointHost",
    "end_point_enabled": "publicEndpointEnabled",
    "private_end_point": "privateEndpointHost",
    "private_id": "",
    "public_reg_status": "publicRegistryEnabled",
    "scan_on_push_enabled": "scanOnPushEnabled",
}
_IMAGE: _Names = {
    "can_edit": "",
    "is_automated": "",
    "is_private": "",
    "last_updated": "lastPushedDateTime",
    "namespace": "registryName",
    "pull_count": "pullCount",
    "repository_type": "",
    "star_count": "",
    "status": "",
    "user": "",
}
_TAG: _Names = {
    "creator": "",
    "full_size": "fullSize",
    "id": "",
    "image_id": "",
    "last_updated": "updatedDateTime",
    "last_updater": "",
    "repository": "",
    "v2": "",
}
_PLATFORM: _Names = {
    "created": "createdDateTime",
    "features": "",
    "latest_pulled": "lastPulledDateTime",
    "os_features": "",
    "os_version": "",
    "updated": "updatedDateTime",
}
_KINDS: Mapping[Operation, _Names] = {
    "registry_list": _REGISTRY,
    "image_list": _IMAGE,
    "tag_list": _TAG,
}
_TIMES = {"created", "last_updated", "latest_pulled", "updated"}
_SORTABLE: Mapping[Operation, tuple[str, ...]] = {
    "registry_list": ("createdDateTime",),
    "image_list": (),
    "tag_list": ("updatedDateTime", "name"),
}
"""Operation → the properties that it can be sorted by; the first is the default, newest first."""


def record_of(operation: Operation, record: JsonRecord) -> JsonRecord:
    """Return a record of version 2 as version 3 sends it; what is no object stays as it is."""
    translated: JsonRecord = _translated(record, _KINDS[operation])
    return translated


def pulled_record(record: JsonRecord, tags: Iterable[JsonRecord]) -> JsonRecord:
    """Return an image's record with the time of the newest pull of any of its tags."""
    platforms = [each for tag in tags for each in tag.get("images") or () if isinstance(each, dict)]
    pulls = [pull for each in platforms if isinstance(pull := each.get("latest_pulled"), int)]
    return {**record, "lastPulledDateTime": date_time(max(pulls, default=0))}


def _translated(record: Any, names: _Names) -> Any:  # noqa: ANN401 -- of a file, it may be anything
    if not isinstance(record, dict):
        return record
    return dict(_fields(record, names))


def _fields(record: JsonRecord, names: _Names) -> Iterator[tuple[str, Any]]:
    for field, value in record.items():
        name = names.get(field, field)
        if not name or (field == "latest_pulled" and value is None):
            continue  # version 2's unknown pull is a field that version 3 does not send
        if field == "images" and isinstance(value, list):
            yield name, [_translated(platform, _PLATFORM) for platform in value]
        else:
            yield name, date_time(value) if field in _TIMES else value


def date_time(value: object) -> object:
    """Return milliseconds since the epoch in RFC 3339; 0 is null, and no number stays as it is."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if value == 0:
        return None
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
    except OverflowError:
        return f"{1970 + value // 31_556_952_000:+07d}-01-01T00:00:00Z"
    precise = "milliseconds" if value % 1000 else "seconds"
    return moment.isoformat(timespec=precise).replace("+00:00", "Z")


Envelope = Callable[[list[JsonRecord], JsonRecord, str], Any]
"""Items, the totals of their list, and what such items are called → the content of a page."""
ENVELOPES: Mapping[str, Envelope] = {
    "content and page": lambda items, totals, _: {"content": items, "page": totals},
    "items beside totals": lambda items, totals, _: {**totals, "items": items},
    "plural and pagination": lambda items, totals, plural: {plural: items, "pagination": totals},
    "an odd name": lambda items, totals, _: {"pageMetadata": totals, "sort": [], "rows": items},
    "wrapped": lambda items, totals, _: {"status": 200, "body": {"content": items, **totals}},
    "elements alone": lambda items, totals, _: {
        "content": items,
        "totalElements": totals["totalElements"],
    },
    "no totals": lambda items, _, plural: {plural: items},
    "bare": lambda items, _, __: items,
}
"""Name → envelope. The first is the default; which one the service has is not known."""
USUAL = next(iter(ENVELOPES))
_PLURALS: Mapping[Operation, str] = {
    "registry_list": "registries",
    "image_list": "images",
    "tag_list": "tags",
}


def page_of(
    operation: Operation,
    records: Sequence[JsonRecord],
    number: int,
    size: int,
    envelope: str = USUAL,
) -> Response:
    """Return page `number`, counted from 0; a page past the end is empty.

    Args:
        operation: the operation.
        records: all records of the list.
        number: the page's number.
        size: records per page.
        envelope: a name in `ENVELOPES`.
    """
    totals = {
        "totalElements": len(records),
        "totalPages": -(-len(records) // size),
        "pageNo": number,
        "pageSize": size,
    }
    items = list(records[number * size : (number + 1) * size])
    content = ENVELOPES[envelope](items, totals, _PLURALS[operation])
    return json_response(200, content, "ENDPOINT")


def page_request(
    request: Request, operation: Operation, query: Mapping[str, str]
) -> tuple[int, int, str] | Response:
    """Return the number, size and order of the requested page, or the error for a wrong one."""
    number = _number(query.get("pageNo", "0"), 0, _LARGEST_NUMBER)
    size = _number(query.get("pageSize", _DEFAULT_PAGE), 1, V3_LARGEST_PAGE)
    order = query.get("sort", "")
    wrong = {}
    if number is None:
        wrong["pageNo"] = f"must be between 0 and {_LARGEST_NUMBER}"
    if size is None:
        wrong["pageSize"] = f"must be between 1 and {V3_LARGEST_PAGE}"
    if order and not _is_order(operation, order):
        wrong["sort"] = "cannot sort by that"
    if number is None or size is None or wrong:
        return service_error_to(request, 400, "Invalid parameter", wrong)
    return number, size, order


def _number(text: str, low: int, high: int) -> int | None:
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else low - 1  # noqa: PLR2004 -- digits, far beyond any page
    return value if low <= value <= high else None


def _is_order(operation: Operation, order: str) -> bool:
    field, _, direction = order.partition(",")
    return field in _SORTABLE[operation] and direction in {"asc", "desc"}


def in_order(records: Iterable[JsonRecord], order: str) -> list[JsonRecord]:
    """Return records in an order such as `name,asc`; in the list's own if it is empty."""
    field, _, direction = order.partition(",")
    if not field:
        return list(records)
    return sorted(records, key=lambda each: str(each.get(field)), reverse=direction == "desc")


_CODES = {
    400: "InvalidParameter",
    403: "Forbidden",
    404: "NotFound",
    500: "InternalServerError",
}
"""Status → code. `NotFound` and `InvalidParameter` are documented; the others are made up."""
_DETAILS = {"ko-KR": "요청을 처리할 수 없습니다.", "ja-JP": "リクエストを処理できません。"}


def is_v3(request: Request) -> bool:
    """Return whether a request is for version 3."""
    return request.path.startswith(f"{V3_PREFIX}/")


def service_error_to(
    request: Request, status: int, message: str, wrong: Mapping[str, str] | None = None
) -> Response:
    """Return an error of the service, in the version of the request.

    Its `detail` in version 3 is in the language that the request asks for.

    Args:
        request: the request.
        status: the HTTP status.
        message: what went wrong, in English.
        wrong: parameter → what is wrong with it.
    """
    if not is_v3(request):
        return service_error(status, message)
    detail = _DETAILS.get(request.headers.get(LANGUAGE_HEADER, ""), f"{message}.")
    error = {
        "errorCode": _CODES[status],
        "message": message,
        "detail": detail,
        "fieldErrors": [{"field": name, "message": why} for name, why in (wrong or {}).items()],
    }
    return json_response(status, {"error": error}, "ENDPOINT")
