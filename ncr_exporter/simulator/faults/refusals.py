"""Errors of the gateway and of the service, and a redirect by a proxy."""

from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime

from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.simulator.faults.fault import Apply, Fault, always
from ncr_exporter.simulator.responses import gateway_error, with_headers
from ncr_exporter.simulator.v3 import service_error_to

_WAIT = 2  # seconds
_TEN_YEARS = 10 * 365 * 86_400
_THROTTLED = gateway_error(429, "410", "Throttle Limited")
_KEY_REFUSED = gateway_error(
    401, "200", "Authentication Failed", "Invalid authentication information."
)
_DENIED = gateway_error(401, "210", "Permission Denied", "A subscription to the API is required.")
_NO_SUCH_API = gateway_error(404, "300", "Not Found Exception", "URL not found.")
_UNAVAILABLE = gateway_error(503, "500", "Endpoint Error")
_ELSEWHERE = text_response(302, "moved\n", {"location": "https://elsewhere.example/login"})


def _throttled(retry_after: object) -> Response:
    return with_headers(_THROTTLED, {"retry-after": str(retry_after)})


def _throttled_until(_request: Request, response: Response) -> Response:
    """Return a 429 whose Retry-After is a date, by the clock of the original response."""
    now = parsedate_to_datetime(response.headers["date"]).timestamp()
    until = {"retry-after": formatdate(now + _WAIT, usegmt=True)}
    return replace(_THROTTLED, headers={**_THROTTLED.headers, **until})


def _refused_by_service(status: int, message: str) -> Apply:
    """Return a function that responds with an error of the service, in the request's version."""
    return lambda request, _response: service_error_to(request, status, message)


REFUSALS = (
    Fault("throttle", "429 Throttle Limited, with Retry-After: 2", always(_throttled(_WAIT))),
    Fault("throttle-silent", "429 Throttle Limited, without Retry-After", always(_THROTTLED)),
    Fault(
        "throttle-date",
        "429 Throttle Limited, with a date 2 s ahead as Retry-After",
        _throttled_until,
    ),
    Fault("throttle-absurd", "429 with a Retry-After of ten years", always(_throttled(_TEN_YEARS))),
    Fault("throttle-words", "429 with Retry-After: soon", always(_throttled("soon"))),
    Fault("wrong-key", "401 Authentication Failed (200)", always(_KEY_REFUSED)),
    Fault("denied", "401 Permission Denied (210)", always(_DENIED)),
    Fault("forbidden", "403 from the service", _refused_by_service(403, "Forbidden")),
    Fault("not-found", "404 from the gateway, as for a wrong region", always(_NO_SUCH_API)),
    Fault(
        "not-found-service",
        "404 from the service itself, for every request",
        _refused_by_service(404, "Not Found"),
    ),
    Fault(
        "missing-500",
        "500 from the service, as seen for missing images",
        _refused_by_service(500, "Internal Server Error"),
    ),
    Fault("unavailable", "503 Endpoint Error", always(_UNAVAILABLE)),
    Fault("redirect", "302 to another host", always(_ELSEWHERE)),
)
