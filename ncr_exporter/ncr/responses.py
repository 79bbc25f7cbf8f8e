"""Status and headers of an answer → None, or the error that they mean."""

import json
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from ncr_exporter.ncr.errors import (
    ApiError,
    AuthenticationError,
    DeniedError,
    ErrorDetails,
    NotFoundError,
    OtherError,
    RedirectError,
    ServerError,
    ThrottledError,
)
from ncr_exporter.ncr.vocabulary import ORIGIN_HEADER, TRACE_HEADER

_LONGEST_MESSAGE = 300
_PERMISSION_DENIED = "210"


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ApiError | None:
    """Return the error that an answer other than 200 stands for.

    Sources: the gateway's documented `{"error": {"errorCode", "message"}}` with its table of codes;
    the service's `{"returnCode", "returnMessage"}` as seen by public clients.
    """
    if status == HTTPStatus.OK:
        return None
    details, service_body = _evidence(status, headers, body)
    summary = _summary(details)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return RedirectError(f"{summary}, to {_clip(headers.get('location', 'nowhere'))}", details)
    if status == HTTPStatus.NOT_FOUND:
        from_service = details.origin.upper() == "ENDPOINT" or service_body
        return NotFoundError(summary, details, from_service=from_service)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(summary, details, retry_after=_retry_after(headers))
    return _kind(status, details.code)(summary, details)


def _kind(status: int, code: str) -> type[ApiError]:
    if status == HTTPStatus.UNAUTHORIZED:
        return DeniedError if code == _PERMISSION_DENIED else AuthenticationError
    if status == HTTPStatus.FORBIDDEN:
        return DeniedError
    return ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else OtherError


def date_of(headers: Mapping[str, str], name: str = "date") -> float | None:
    """Return the HTTP date in a header in seconds since the epoch, or None."""
    try:
        moment = parsedate_to_datetime(headers[name])
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return seconds: the header holds a count of them, or a date by the gateway's own clock."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    moment, now = date_of(headers, "retry-after"), date_of(headers)
    return None if moment is None or now is None else max(0.0, moment - now)


def _evidence(status: int, headers: Mapping[str, str], body: bytes) -> tuple[ErrorDetails, bool]:
    """Return what the answer says of itself, and whether its body is the service's error body."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    content = content if isinstance(content, dict) else {}
    gateway = content.get("error")
    service_body = "returnCode" in content
    if isinstance(gateway, dict):
        code, message = gateway.get("errorCode"), gateway.get("message")
        details = gateway.get("details")
        message = f"{message} ({details})" if details and details != message else message
    else:
        code, message = content.get("returnCode"), content.get("returnMessage")
    details = ErrorDetails(
        status=status,
        code=_clip(code),
        message=_clip(message),
        origin=_clip(headers.get(ORIGIN_HEADER)),
        trace_id=_clip(headers.get(TRACE_HEADER)),
    )
    return details, service_body


def _summary(details: ErrorDetails) -> str:
    code = f"/{details.code}" if details.code else ""
    return f"HTTP {details.status}{code} {details.message}".strip()


def _clip(value: object) -> str:
    """Return a peer's text fit for one log line."""
    text = "" if value is None else str(value)
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clean[:_LONGEST_MESSAGE]
