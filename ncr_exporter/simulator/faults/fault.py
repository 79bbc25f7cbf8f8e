"""A fault of the simulated registry, and the plan of which requests meet which fault."""

from collections.abc import Callable
from dataclasses import dataclass

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.api_records import JsonRecord

Apply = Callable[[Request, Response], Response]
"""A request and the correct response → the response that is sent."""
Relist = Callable[[list[JsonRecord], int], list[JsonRecord]]
"""All records of a list and the number of a page → the list from which that page is taken."""


def unchanged_response(_request: Request, response: Response) -> Response:
    """Return the correct response."""
    return response


def unchanged_list(records: list[JsonRecord], _page: int) -> list[JsonRecord]:
    """Return the correct list."""
    return records


def always(response: Response) -> Apply:
    """Return a function that responds to every request in the same way."""
    return lambda _request, _response: response


@dataclass(frozen=True)
class Fault:
    """A way in which the simulated registry misbehaves."""

    name: str
    help: str
    apply: Apply = unchanged_response
    seconds: float = 0.0
    """Seconds of real time before the response, as on a slow network."""
    relist: Relist = unchanged_list
    clock_offset: float = 0.0
    """Seconds that the gateway's clock is ahead."""
    rotates_key: bool = False
    """Whether a request for a second page replaces the secret key, for good."""
    certificate: str = ""
    """The server's certificate, the name of a file in `pem/`; empty for plain HTTP."""


NO_FAULT = Fault("none", "responds correctly")


class FaultPlan:
    """Rules that give faults to requests. The first rule that matches a request applies."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def add(self, fault: Fault, *, where: str = "", times: int | None = None) -> None:
        """Add a rule: `fault` for requests whose target contains `where`.

        Args:
            fault: the fault of these requests.
            where: part of path and query; empty for all requests.
            times: how many requests the rule applies to; None for all.
        """
        self._rules.append(_Rule(fault, where, times))

    def clear(self) -> None:
        """Remove all rules."""
        self._rules.clear()

    def take(self, target: str) -> Fault | None:
        """Return the fault of a request, or None, and count it against the rule's `times`."""
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
