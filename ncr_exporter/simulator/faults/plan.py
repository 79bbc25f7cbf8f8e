"""Which requests meet which fault."""

from dataclasses import dataclass

from ncr_exporter.simulator.faults.fault import Fault


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
