"""Responses → errors: what status, headers and body of a response mean."""

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
from ncr_exporter.texts import failures

_LONGEST_MESSAGE = 300
_PERMISSION_DENIED = "210"


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ApiError | None:
    """Return the error that a response stands for, or None for a 200.

    Sources: the vendor's page of API Gateway's errors, `{"error": {"errorCode", "message"}}`; for
    the service's `{"returnCode", "returnMessage"}`, the code of public clients.

    Args:
        status: the HTTP status.
        headers: the headers; they are looked up by lower-case names.
        body: the body; it may be empty, cut short or anything else.
    """
    if status == HTTPStatus.OK:
        return None
    details, is_service_body = _details(status, headers, body)
    summary = _summary(details)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        location = _clip(headers.get("location")) or failures.NOWHERE()
        return RedirectError(failures.REDIRECTED(answer=summary, location=location), details)
    if status == HTTPStatus.NOT_FOUND:
        from_service = details.origin.upper() == "ENDPOINT" or is_service_body
        return NotFoundError(summary, details, from_service=from_service)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(summary, details, retry_after=_retry_after(headers))
    return _error_type(status, details.code)(summary, details)


def _error_type(status: int, code: str) -> type[ApiError]:
    if status == HTTPStatus.UNAUTHORIZED:
        return DeniedError if code == _PERMISSION_DENIED else AuthenticationError
    if status == HTTPStatus.FORBIDDEN:
        return DeniedError
    return ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else OtherError


def date_of(headers: Mapping[str, str], name: str = "date") -> float | None:
    """Return the HTTP date in a header as seconds since the epoch, or None without a valid one."""
    try:
        moment = parsedate_to_datetime(headers[name])
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After`, a number or an HTTP date (RFC 9110, section 10.2.3).

    A date is compared with the response's own `Date`: this host's clock may be wrong.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    moment, now = date_of(headers, "retry-after"), date_of(headers)
    return None if moment is None or now is None else max(0.0, moment - now)


def _details(status: int, headers: Mapping[str, str], body: bytes) -> tuple[ErrorDetails, bool]:
    """Return the details of an error, and whether the body is that of the service itself."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    content = content if isinstance(content, dict) else {}
    gateway = content.get("error")
    if isinstance(gateway, dict):
        code, message = gateway.get("errorCode"), gateway.get("message")
        more = gateway.get("details")
        message = f"{message} ({more})" if more and more != message else message
    else:
        code, message = content.get("returnCode"), content.get("returnMessage")
    details = ErrorDetails(
        status=status,
        code=_clip(code),
        message=_clip(message),
        origin=_clip(headers.get(ORIGIN_HEADER)),
        trace_id=_clip(headers.get(TRACE_HEADER)),
    )
    return details, "returnCode" in content


def _summary(details: ErrorDetails) -> str:
    code = f"/{details.code}" if details.code else ""
    return f"HTTP {details.status}{code} {details.message}".strip()


def _clip(value: object) -> str:
    """Return a text of the API for one log line: printable, and 300 characters at most."""
    text = "" if value is None else str(value)
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clean[:_LONGEST_MESSAGE]
