"""Errors of the API client: everything that can go wrong between a request and its records.

ApiError                reason          raised for
├── AuthenticationError authentication  401 (code 200): wrong key, or a clock too far off
├── DeniedError         permission      401 (code 210), 403
├── NotFoundError       not_found       404; `from_service` tells whether the service sent it
├── ThrottledError      throttled       429, or the circuit breaker is tripped (nothing sent)
├── ServerError         server          5xx
├── DeadlineError       timeout         the whole attempt took longer than `timeout`
├── ConnectionFailedError connection    refused, reset, no such host, half a response
│   └── ReusedConnectionError           a kept connection that was closed meanwhile
├── TlsError            tls             the certificate or the handshake
├── RedirectError       redirect        3xx: following it would send the signature elsewhere
├── MalformedError      malformed       not JSON, not a page, no usable record, paging in circles
│   └── PagingError                     a page repeats others, or is missing
├── TooLargeError       too_large       body above the caps, as sent or inflated
└── OtherError          other           any other status
"""

from dataclasses import dataclass
from typing import ClassVar

from ncr_exporter.texts.failures import PAGING_REMEDY, REMEDIES


@dataclass(frozen=True)
class ErrorDetails:
    """What an error response says, for the log. Empty texts are unknown."""

    status: int | None = None
    """The HTTP status; None without a response."""
    code: str = ""
    """The `errorCode`, a number or a word, or the service's `returnCode`."""
    message: str = ""
    """What the response says, its details and the fields it refuses included."""
    fields: tuple[str, ...] = ()
    """The parameters that the response refuses, by `fieldErrors`."""
    origin: str = ""
    """Who sent the response: `APIGW` or `ENDPOINT`, from `x-ncp-apigw-response-origin`."""
    trace_id: str = ""
    """From `x-ncp-trace-id`; the vendor's support asks for it."""
    request_id: str = ""
    """From `x-ncp-request-id`, which version 3 sends; the vendor's support asks for it."""


class ApiError(Exception):
    """A request failed, or its response has no usable records."""

    reason: ClassVar[str] = "other"
    """The label `reason` of `ncr_api_request_failures_total`."""
    remedy: ClassVar[str] = REMEDIES["other"]()
    """What the user can do, in English; `texts` says it in other languages."""
    max_retries: ClassVar[int] = 0
    """How many attempts may follow this error within one request."""

    def __init__(self, message: str, details: ErrorDetails | None = None) -> None:
        super().__init__(message)
        self.message = message
        """What happened; `str()` is plain English, this can be said in other languages."""
        self.details = details or ErrorDetails()


class OtherError(ApiError):
    """The response has a status that the vendor's documentation does not list."""


class AuthenticationError(ApiError):
    """The gateway does not accept the key or the signature."""

    reason = "authentication"
    remedy = REMEDIES["authentication"]()


class DeniedError(ApiError):
    """The key is valid, but not allowed to do this."""

    reason = "permission"
    remedy = REMEDIES["permission"]()


class NotFoundError(ApiError):
    """There is nothing at this path.

    `from_service` says whether the service itself sent the 404, rather than the gateway.
    """

    reason = "not_found"
    remedy = REMEDIES["not_found"]()

    def __init__(self, message: str, details: ErrorDetails, *, from_service: bool) -> None:
        super().__init__(message, details)
        self.from_service = from_service


class ThrottledError(ApiError):
    """The API refuses more requests for now.

    `retry_after` is in seconds; None if the response did not say.
    """

    reason = "throttled"
    remedy = REMEDIES["throttled"]()

    def __init__(
        self, message: str, details: ErrorDetails | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, details)
        self.retry_after = retry_after


class ServerError(ApiError):
    """The gateway or the service failed. A missing image, too, has been seen to give 500."""

    reason = "server"
    remedy = REMEDIES["server"]()
    max_retries = 2


class DeadlineError(ApiError):
    """The response was not complete in time."""

    reason = "timeout"
    remedy = REMEDIES["timeout"]()
    max_retries = 1


class ConnectionFailedError(ApiError):
    """There was no connection, or it broke."""

    reason = "connection"
    remedy = REMEDIES["connection"]()
    max_retries = 2


class ReusedConnectionError(ConnectionFailedError):
    """A connection that had carried a request before broke without a byte of the response.

    Usually the other side had just closed it for being idle, so that nobody read the request.
    """


class TlsError(ApiError):
    """The connection cannot be trusted: the certificate or the handshake is wrong."""

    reason = "tls"
    remedy = REMEDIES["tls"]()


class RedirectError(ApiError):
    """The response is a redirect. It is not followed: the signature would go elsewhere."""

    reason = "redirect"
    remedy = REMEDIES["redirect"]()


class MalformedError(ApiError):
    """The response is not what the vendor documents."""

    reason = "malformed"
    remedy = REMEDIES["malformed"]()


class PagingError(MalformedError):
    """The pages of a list do not fit together: it changed between two of them, or paging is broken.

    It says nothing of the list itself: a page that is missing is no image that is missing.
    """

    remedy = PAGING_REMEDY()


class TooLargeError(ApiError):
    """The response is larger than any page can be."""

    reason = "too_large"
    remedy = REMEDIES["too_large"]()
