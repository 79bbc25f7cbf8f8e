"""`check --online`: ask everything once, say what was found and what was learned."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ncr_exporter import __version__
from ncr_exporter.app.pipeline import Pipeline
from ncr_exporter.check_online.api_findings import lessons
from ncr_exporter.check_online.observed import ObservedResponses
from ncr_exporter.check_online.output import findings_drawn, lessons_drawn
from ncr_exporter.check_online.preflight import ask_first
from ncr_exporter.check_online.results import Finding, Online, findings
from ncr_exporter.config import Config
from ncr_exporter.recording.exchange import Sink, Tap
from ncr_exporter.report.terminal import Span, Terminal, progress_bar
from ncr_exporter.runtime.clock import SystemClock


async def check_online(
    config: Config,
    environ: Mapping[str, str],
    terminal: Terminal,
    *,
    sinks: Sequence[Sink] = (),
    with_progress: bool,
) -> int:
    """Ask, draw on `terminal`, and return the exit code; each answer goes to `sinks`, too."""
    clock, observed = SystemClock(), ObservedResponses()
    hooks = [Tap(clock, observed.add, *sinks)]
    async with (
        Pipeline(config, environ=environ, clock=clock, once=True, hooks=hooks) as pipeline,
        progress_bar(pipeline.store, wanted=with_progress),
    ):
        first = await ask_first(pipeline)
        await pipeline.poll_once([target for target in first if first[target].worth_asking_more])
    online = Online(config, environ, first, pipeline.store, observed, clock.time())
    found = list(findings(online))
    terminal.file.writelines(
        f"{terminal.painted(line)}\n"
        for line in (
            *findings_drawn(found),
            [],
            *lessons_drawn(_title(config), lessons(observed)),
            [],
            [Span(_summary(found), "bold")],
        )
    )
    terminal.file.flush()
    return int(any(finding.verdict in {"FAILED", "not asked"} for finding in found))


def _title(config: Config) -> str:
    day = datetime.now(UTC).date().isoformat()
    run = f"ncr-exporter {__version__}, {config.api.zone} zone, {day}"
    return f"What the API did ({run})"


def _summary(found: Sequence[Finding]) -> str:
    counts = Counter(finding.verdict for finding in found)
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
