"""Answers other than 200, as the gateway and the service write them, and a proxy's redirect."""

from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime

from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.simulator.faults.fault import Fault, instead
from ncr_exporter.simulator.responses import gateway_error, service_error, with_headers

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


def _throttled_until(_request: Request, answer: Response) -> Response:
    """Throttle until a moment by the answer's own clock."""
    now = parsedate_to_datetime(answer.headers["date"]).timestamp()
    until = {"retry-after": formatdate(now + _WAIT, usegmt=True)}
    return replace(_THROTTLED, headers={**_THROTTLED.headers, **until})


REFUSALS = (
    Fault("throttle", "429 Throttle Limited, with Retry-After: 2", instead(_throttled(_WAIT))),
    Fault("throttle-silent", "429 Throttle Limited, without Retry-After", instead(_THROTTLED)),
    Fault("throttle-date", "429 with a Retry-After that is a date, in 2 s", _throttled_until),
    Fault(
        "throttle-absurd", "429 with a Retry-After of ten years", instead(_throttled(_TEN_YEARS))
    ),
    Fault("throttle-words", "429 with Retry-After: soon", instead(_throttled("soon"))),
    Fault("wrong-key", "401 Authentication Failed (200)", instead(_KEY_REFUSED)),
    Fault("denied", "401 Permission Denied (210)", instead(_DENIED)),
    Fault("forbidden", "403 from the service", instead(service_error(403, "Forbidden"))),
    Fault("not-found", "404 from the gateway, as for a wrong region", instead(_NO_SUCH_API)),
    Fault(
        "not-found-service",
        "404 from the service itself, for whatever is asked",
        instead(service_error(404, "Not Found")),
    ),
    Fault(
        "missing-500",
        "500 from the service, as seen for an image that is missing",
        instead(service_error(500, "Internal Server Error")),
    ),
    Fault("unavailable", "503 Endpoint Error", instead(_UNAVAILABLE)),
    Fault("redirect", "302 to another host", instead(_ELSEWHERE)),
)


_TEN_MINUTES = 600.0

SURROUNDINGS = (
    Fault(
        "clock-ahead", "the gateway's clock is 10 minutes ahead of ours", clock_offset=_TEN_MINUTES
    ),
    Fault(
        "clock-behind", "the gateway's clock is 10 minutes behind ours", clock_offset=-_TEN_MINUTES
    ),
    Fault(
        "rotated-key",
        "once a second page is asked for, only another secret key is right",
        rotates_key=True,
    ),
    Fault("expired-tls", "TLS with a certificate that has expired", certificate="expired"),
    Fault("self-signed-tls", "TLS with a certificate of nobody", certificate="self-signed"),
)
