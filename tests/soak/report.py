"""What a soak found, for people: the same text in the terminal and in the file. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.soak.judge import FEWEST, Trend, percentile, trend
from tests.soak.resources import RESOURCES, Sample

_SHOWN = 20
"""Problems listed; they tend to be one problem, many times."""


@dataclass(frozen=True)
class Findings:
    """Everything that a soak brought back."""

    call: str
    """How to run it again."""
    date: str
    seconds: float
    samples: Sequence[Sample]
    done: Mapping[str, int]
    """What was done, in words → how often."""
    latencies: Mapping[str, Sequence[float]]
    problems: Sequence[str]

    @property
    def trends(self) -> list[Trend]:
        """How each resource went; none where that cannot be told."""
        if len(self.samples) < FEWEST:
            return []
        return [
            trend(resource, [(sample.at, measure(sample)) for sample in self.samples])
            for resource, measure in RESOURCES
        ]

    @property
    def is_good(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.problems and not any(each.grows for each in self.trends)


def report(found: Findings) -> str:
    """Return all of it in Markdown that reads well as it is, too."""
    parts = [
        f"`{found.call}`, {found.date}: {_verdict(found)}",
        _table(("what was done", "times"), ((what, f"{n:,}") for what, n in found.done.items())),
        _table(
            ("resource", "start", "middle", "end", "rise in the second half", "allowed", ""),
            map(_resource, found.trends),
        ),
        _table(
            ("answers to", "count", "median ms", "95 %", "99 %", "slowest"),
            (_latency(*item) for item in found.latencies.items()),
        ),
        _cpu(found),
    ]
    if found.problems:
        parts.append("\n".join(_problems(found.problems)))
    return "\n\n".join(parts) + "\n"


def _verdict(found: Findings) -> str:
    growing = [each.resource.name for each in found.trends if each.grows]
    words = [f"{', '.join(growing)} grew"] if growing else []
    wrong = len(found.problems)
    words += [f"{wrong} thing{'s' * (wrong > 1)} went wrong"] if wrong else []
    return f"**{'; '.join(words) or _praise(found)}.**"


def _praise(found: Findings) -> str:
    trends = found.trends
    judged = bool(trends) and all(each.is_judged for each in trends)
    nothing = "nothing" if judged else f"nothing that can be told after {found.seconds:.0f} s"
    return f"{nothing} grew, and every answer was right"


def _resource(each: Trend) -> tuple[str, ...]:
    name = f"{each.resource.name}, {each.resource.unit}".removesuffix(", ")
    verdict = "GROWS" if each.grows else "steady" if each.is_judged else "too short to tell"
    numbers = [f"{value:,.1f}".removesuffix(".0") for value in (each.start, each.middle, each.end)]
    rise = f"{each.rise:+,.2f} ± {each.error:.2f}"
    return name, *numbers, rise, f"{each.resource.allowed:g}", verdict


def _latency(who: str, seconds: Sequence[float]) -> tuple[str, ...]:
    percents = (50, 95, 99, 100)
    shown = (f"{percentile(seconds, percent) * 1000:,.0f}" for percent in percents)
    return who, f"{len(seconds):,}", *shown


def _cpu(found: Findings) -> str:
    used = found.samples[-1].cpu if found.samples else 0.0
    share = used / found.seconds
    return f"CPU: {used:.0f} s in {found.seconds:.0f} s, {share:.0%} of one core."


def _problems(problems: Sequence[str]) -> Iterable[str]:
    yield "What went wrong:"
    yield ""
    counted = Counter(problems)
    for problem, times in counted.most_common(_SHOWN):
        yield f"- {problem} ({times} times)"
    if len(counted) > _SHOWN:
        yield f"- and {len(counted) - _SHOWN} other things"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table whose columns are as wide as they must be, numbers to the right."""
    table = [header, *rows]
    widths = [max(3, *map(len, column)) for column in zip(*table, strict=True)]
    first, *others = widths
    rule = ["-" * first, *(f"{'-' * (width - 1)}:" for width in others)]
    lines = [
        [row[0].ljust(first), *map(str.rjust, row[1:], others)]
        for row in (header, rule, *table[1:])
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
