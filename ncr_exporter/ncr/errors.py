"""Everything that can go wrong between a request and its records.

ApiError                reason          raised for
├── AuthenticationError authentication  401 (code 200): wrong key, or a clock too far off
├── DeniedError         permission      401 (code 210), 403
├── NotFoundError       not_found       404; `from_service` tells the service's from the gateway's
├── ThrottledError      throttled       429, or the account's gate is closed (no request made)
├── ServerError         server          any other 5xx
├── DeadlineError       timeout         the whole attempt took longer than `timeout`
├── ConnectionFailedError connection    refused, reset, no such host, half an answer
├── TlsError            tls             the certificate or the handshake
├── RedirectError       redirect        3xx: followed, it would carry the signature elsewhere
├── MalformedError      malformed       not JSON, not a page, no usable record, paging in circles
├── TooLargeError       too_large       more than the caps on a body, sent or inflated
└── OtherError          other           any other status
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class ErrorDetails:
    """What the gateway or the service said of itself, for the log."""

    status: int | None = None
    code: str = ""
    message: str = ""
    origin: str = ""
    """`APIGW` or `ENDPOINT`, from `x-ncp-apigw-response-origin`."""
    trace_id: str = ""
    """From `x-ncp-trace-id`: what the vendor's support asks for."""


class ApiError(Exception):
    """A request did not give usable records; `reason` is the metric label, `remedy` what to do."""

    reason: ClassVar[str] = "other"
    remedy: ClassVar[str] = "report it with the trace id"
    retried: ClassVar[int] = 0
    """How many more attempts may follow this error within one request."""

    def __init__(self, message: str, details: ErrorDetails | None = None) -> None:
        super().__init__(message)
        self.details = details or ErrorDetails()


class OtherError(ApiError):
    """A status that the documentation does not know."""


class AuthenticationError(ApiError):
    """The gateway does not accept the key or the signature."""

    reason = "authentication"
    remedy = "check the access key and secret key, that the key is active, and this host's clock"


class DeniedError(ApiError):
    """The key is right and may not do this."""

    reason = "permission"
    remedy = (
        "give the sub account the policy NCP_CONTAINER_REGISTRY_VIEWER and API Gateway access, "
        "and allow this host's address if its source IPs are limited"
    )


class NotFoundError(ApiError):
    """There is nothing at this path."""

    reason = "not_found"
    remedy = "check the names of registry and image, and the registry's region and zone"

    def __init__(self, message: str, details: ErrorDetails, *, from_service: bool) -> None:
        super().__init__(message, details)
        self.from_service = from_service


class ThrottledError(ApiError):
    """Too many requests; `retry_after` is in seconds, None where the gateway did not say."""

    reason = "throttled"
    remedy = "lower api.requests_per_second or poll less often; other programs share the quota"

    def __init__(
        self, message: str, details: ErrorDetails | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, details)
        self.retry_after = retry_after


class ServerError(ApiError):
    """The gateway or the service failed; a missing image has been seen to answer 500."""

    reason = "server"
    remedy = "usually passes; if only this image fails, check that it exists"
    retried = 2


class DeadlineError(ApiError):
    """The whole answer did not arrive in time."""

    reason = "timeout"
    remedy = "check the network to the API; raise api.timeout if answers are just slow"
    retried = 1


class ConnectionFailedError(ApiError):
    """No connection, or one that broke."""

    reason = "connection"
    remedy = "check DNS, firewall and proxy between this host and the API"
    retried = 2


class TlsError(ApiError):
    """The connection is not to be trusted."""

    reason = "tls"
    remedy = (
        "check this host's clock; if a proxy re-signs traffic, name its certificate authority in "
        "api.ca_file"
    )


class RedirectError(ApiError):
    """The answer points elsewhere; the signature is not sent there."""

    reason = "redirect"
    remedy = "check api.base_url and what stands between this host and the API"


class MalformedError(ApiError):
    """The answer is not what the documentation promises."""

    reason = "malformed"
    remedy = "check that nothing between this host and the API rewrites answers"


class TooLargeError(ApiError):
    """The answer is larger than any page can be."""

    reason = "too_large"
    remedy = "lower api.page_size"
