"""What is wrong with a configuration, and where."""

from collections.abc import Iterable
from dataclasses import dataclass

from ncr_exporter.runtime.errors import UserError


@dataclass(frozen=True)
class Problem:
    """One mistake; `place` as in `registries[0].images[1].interval`, empty for the whole file."""

    place: str
    message: str
    line: int | None = None


class ConfigError(UserError):
    """The configuration cannot be used; `str()` has one line per problem, for people."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(self._line(problem) for problem in self.problems))

    def _line(self, problem: Problem) -> str:
        where = self.source if problem.line is None else f"{self.source}:{problem.line}"
        return ": ".join(part for part in (where, problem.place, problem.message) if part)
