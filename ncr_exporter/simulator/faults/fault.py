"""One way to misbehave: of an answer, or of what surrounds it."""

from collections.abc import Callable
from dataclasses import dataclass

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.records import Record

Apply = Callable[[Request, Response], Response]
"""The request and what would have been answered → what is answered instead."""
Relist = Callable[[list[Record], int], list[Record]]
"""All records of a list and the page asked for → the list that this page is cut from."""


def unchanged(_request: Request, answer: Response) -> Response:
    """Return the answer that is right."""
    return answer


def as_it_is(records: list[Record], _page: int) -> list[Record]:
    """Return the list that is right."""
    return records


def instead(wrong: Response) -> Apply:
    """Return a fault's doing: the same answer to everything."""
    return lambda _request, _answer: wrong


@dataclass(frozen=True)
class Fault:
    """One way to misbehave."""

    name: str
    help: str
    apply: Apply = unchanged
    seconds: float = 0.0
    """How long the answer is held back, in real time: it is the network that is slow."""
    relist: Relist = as_it_is
    clock_offset: float = 0.0
    """Seconds that the gateway's clock is ahead meanwhile."""
    rotates_key: bool = False
    """Whether a request for a second page has the gateway take a new secret key from then on."""
    certificate: str = ""
    """The certificate that the server shows (`simulator.certificates`); empty for plain HTTP."""


NO_FAULT = Fault("none", "answers as it should")


class FaultPlan:
    """Rules for some requests; of those that match, the one added first counts."""

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
