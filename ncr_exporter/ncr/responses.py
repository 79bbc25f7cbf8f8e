"""Responses → errors: what status, headers and body of a response mean."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

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
from ncr_exporter.ncr.vocabulary import (
    ERROR,
    ORIGIN_HEADER,
    REQUEST_ID_HEADER,
    RETURN_CODE,
    TRACE_HEADER,
)
from ncr_exporter.texts import failures

_LONGEST_MESSAGE = 300
_FIELDS_SHOWN = 5
_GATEWAY, _SERVICE = "APIGW", "ENDPOINT"
_PERMISSION_DENIED = "210"
_DENIED_WORDS = ("permission", "denied", "forbidden", "subscription")
"""Parts of error codes that are words. The vendor lists no such code; these would be clear."""
_INVALID_PARAMETER = "InvalidParameter"


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ApiError | None:
    """Return the error that a response stands for, or None for a 200.

    Sources: the vendor's page of API Gateway's errors, `{"error": {"errorCode", "message"}}`, whose
    codes are numbers; that of version 3, whose codes are words, with `detail` and `fieldErrors`;
    for the service's `{"returnCode", "returnMessage"}`, the code of public clients. Either may
    answer in either version: the gateway stands before both.

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
        from_service = details.origin.upper() == _SERVICE or is_service_body
        return NotFoundError(summary, details, from_service=from_service)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(summary, details, retry_after=_retry_after(headers))
    return _error_type(status, details.code)(summary, details)


def _error_type(status: int, code: str) -> type[ApiError]:
    if status == HTTPStatus.UNAUTHORIZED:
        return DeniedError if _says_denied(code) else AuthenticationError
    if status == HTTPStatus.FORBIDDEN:
        return DeniedError
    return ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else OtherError


def _says_denied(code: str) -> bool:
    return code == _PERMISSION_DENIED or any(word in code.lower() for word in _DENIED_WORDS)


def refused_parameters(error: ApiError, optional: frozenset[str]) -> frozenset[str]:
    """Return the parameters without which a refused request may be sent again; empty if none.

    Those that the error names; all, if it says that a parameter is invalid, and not which one.

    Args:
        error: the error of the request.
        optional: the parameters of the request that may be left out.
    """
    details = error.details
    if details.code != _INVALID_PARAMETER:
        return frozenset()
    said = details.fields or tuple(name for name in optional if name in details.message)
    return optional.intersection(said) if said else optional


def date_of(headers: Mapping[str, str], name: str = "date") -> float | None:
    """Return the HTTP date in a header as seconds since the epoch, or None without a valid one."""
    try:
        moment = parsedate_to_datetime(headers[name])
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def gateway_time(headers: Mapping[str, str]) -> float | None:
    """Return the gateway's time by a response's `Date`, in seconds since the epoch, or None.

    A cache repeats the `Date` of the response that it kept, and adds its `Age` (RFC 9111, section
    5.1). Such a response, or one whose `Age` cannot be read, says nothing of the gateway's time.
    """
    return date_of(headers) if headers.get("age", "0").strip().strip("0") == "" else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After`, a number or an HTTP date (RFC 9110, section 10.2.3).

    A date is compared with the response's own `Date`: this host's clock may be wrong.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    moment, now = date_of(headers, "retry-after"), gateway_time(headers)
    return None if moment is None or now is None else max(0.0, moment - now)


def _details(status: int, headers: Mapping[str, str], body: bytes) -> tuple[ErrorDetails, bool]:
    """Return the details of an error, and whether the body is that of the service itself."""
    content = _object(body)
    error = content.get(ERROR)
    if isinstance(error, dict):
        code, words = _code(error.get("errorCode")), [*_words(error)]
    else:
        error, code = {}, _code(content.get(RETURN_CODE))
        words = [str(content.get("returnMessage") or "")]
    message, *more = words
    details = ErrorDetails(
        status=status,
        code=code,
        message=_clip(f"{message} ({'; '.join(more)})" if more else message),
        fields=tuple(name for name, _ in _field_errors(error)),
        origin=_clip(headers.get(ORIGIN_HEADER)),
        trace_id=_clip(headers.get(TRACE_HEADER)),
        request_id=_clip(headers.get(REQUEST_ID_HEADER)),
    )
    is_word = bool(error) and code[:1].isalpha() and details.origin.upper() != _GATEWAY
    return details, RETURN_CODE in content or is_word


def _object(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object in a body; an empty one if it holds anything else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _code(value: object) -> str:
    """Return an error's code, which may be a number, a text with one, or a word."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _clip(value).strip()


def _words(error: Mapping[str, Any]) -> Iterator[str]:
    """Yield an error's message, then what its details and refused fields add to it."""
    message = error.get("message")
    yield "" if message is None else str(message)
    for key in ("details", "detail"):
        if (more := error.get(key)) and more != message:
            yield str(more)
    for name, reason in _field_errors(error):
        yield f"{name}: {reason}" if reason else name


def _field_errors(error: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields that an error refuses, the first few, each with the reason."""
    items = error.get("fieldErrors")
    for item in items[:_FIELDS_SHOWN] if isinstance(items, list) else ():
        if isinstance(item, dict) and item.get("field"):
            yield _clip(item["field"]), _clip(item.get("message"))


def _summary(details: ErrorDetails) -> str:
    code = f"/{details.code}" if details.code else ""
    return f"HTTP {details.status}{code} {details.message}".strip()


def _clip(value: object) -> str:
    """Return a text of the API for one log line: printable, and 300 characters at most."""
    text = "" if value is None else str(value)
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clean[:_LONGEST_MESSAGE]
