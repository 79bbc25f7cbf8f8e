"""The fault catalogue: what the simulated registry can do wrong, each by name."""

import difflib
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ncr_exporter.demo import sockets, spoiled
from ncr_exporter.demo.answers import gateway_error, service_error, with_body, with_headers
from ncr_exporter.web.messages import Request, Response, text_response

Apply = Callable[[Request, Response], Response]
"""The request and what would have been answered → what is answered instead."""


@dataclass(frozen=True)
class Fault:
    """One way to misbehave."""

    name: str
    help: str
    apply: Apply
    seconds: float = 0.0
    """How long the answer is held back, in real time: it is the network that is slow."""


class FaultPlan:
    """Which requests meet which fault: of the rules that match, the one added first."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def add(self, fault: Fault, *, where: str = "", times: int | None = None) -> None:
        """Give `fault` to requests whose target contains `where`, to the next `times` of them."""
        self._rules.append(_Rule(fault, where, times))

    def clear(self) -> None:
        """Behave again."""
        self._rules.clear()

    def take(self, target: str) -> Fault | None:
        """Return the fault that a request meets, which uses up one of its times."""
        rule = next((rule for rule in self._rules if rule.matches(target)), None)
        if rule is None:
            return None
        if rule.left is not None:
            rule.left -= 1
        return rule.fault


@dataclass
class _Rule:
    fault: Fault
    where: str
    left: int | None

    def matches(self, target: str) -> bool:
        return self.where in target and self.left != 0


def fault_named(name: str) -> Fault:
    """Return a fault of the catalogue.

    Raises:
        ValueError: there is none of that name; the message names those that come near.
    """
    if name in FAULTS:
        return FAULTS[name]
    near = difflib.get_close_matches(name, FAULTS)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(FAULTS)}"
    raise ValueError(f"there is no fault {name!r}; {hint}")


def latency(seconds: float = 2.0) -> Fault:
    """Return the fault that holds every answer back."""
    return Fault("latency", f"answers only after {seconds:g} s", _unchanged, seconds)


def _unchanged(_request: Request, answer: Response) -> Response:
    return answer


def _instead(wrong: Response) -> Apply:
    """Return the fault's doing: the same answer to everything."""
    return lambda _request, _answer: wrong


def _taken_over(write: Callable[..., Awaitable[None]]) -> Apply:
    return _instead(Response(takeover=write))


def _half(_request: Request, answer: Response) -> Response:
    return replace(answer, takeover=functools.partial(sockets.half, answer=answer))


def _empty(_request: Request, answer: Response) -> Response:
    return with_body(replace(answer, status=200), b"")


_THROTTLED = gateway_error(429, "410", "Throttle Limited")
_KEY_REFUSED = gateway_error(
    401, "200", "Authentication Failed", "Invalid authentication information."
)
_DENIED = gateway_error(401, "210", "Permission Denied", "A subscription to the API is required.")
_NO_SUCH_API = gateway_error(404, "300", "Not Found Exception", "URL not found.")
_UNAVAILABLE = gateway_error(503, "500", "Endpoint Error")
_ELSEWHERE = text_response(302, "moved\n", {"location": "https://elsewhere.example/login"})
_LOGIN_PAGE = text_response(
    200,
    "<!doctype html>\n<title>Sign in</title>\n<p>Sign in to use this network.\n",
    {"content-type": "text/html; charset=utf-8"},
)

_CATALOGUE = (
    latency(),
    Fault("hang", "never answers, until the client leaves", _taken_over(sockets.hang)),
    Fault(
        "throttle",
        "429 Throttle Limited, with Retry-After: 2",
        _instead(with_headers(_THROTTLED, {"retry-after": "2"})),
    ),
    Fault("throttle-silent", "429 Throttle Limited, without Retry-After", _instead(_THROTTLED)),
    Fault("wrong-key", "401 Authentication Failed (200)", _instead(_KEY_REFUSED)),
    Fault("denied", "401 Permission Denied (210)", _instead(_DENIED)),
    Fault("forbidden", "403 from the service", _instead(service_error(403, "Forbidden"))),
    Fault("not-found", "404 from the gateway, as for a wrong region", _instead(_NO_SUCH_API)),
    Fault(
        "missing-500",
        "500 from the service, as seen for an image that is missing",
        _instead(service_error(500, "Internal Server Error")),
    ),
    Fault("unavailable", "503 Endpoint Error", _instead(_UNAVAILABLE)),
    Fault("reset", "breaks the TCP connection (RST) without an answer", _taken_over(sockets.reset)),
    Fault("close", "closes the connection without an answer", _taken_over(sockets.close)),
    Fault("garbage", "answers bytes that are no HTTP", _taken_over(sockets.garbage)),
    Fault("half", "sends half of the body that its headers promise, then closes", _half),
    Fault("redirect", "302 to another host", _instead(_ELSEWHERE)),
    Fault("html", "200 with a login page in HTML", _instead(_LOGIN_PAGE)),
    Fault("empty", "200 with no body", _empty),
    Fault("truncated", "200 with the first half of the JSON, well framed", spoiled.truncated),
    Fault("not-a-page", "200 with a JSON array in place of a page", spoiled.not_a_page),
    Fault(
        "wrong-types",
        "every field of each record but its name is of the wrong type",
        spoiled.wrong_types,
    ),
    Fault("nulls", "every field of each record but its name is null", spoiled.nulls),
    Fault("no-platforms", "every tag has an empty list of platforms", spoiled.no_platforms),
    Fault("nan", "sizes are NaN and 1e999", spoiled.not_finite),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _CATALOGUE}
"""Name → fault; `demo --fault=NAME` takes these."""
