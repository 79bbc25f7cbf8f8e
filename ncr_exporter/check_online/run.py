"""`check --online`: ask everything once, say what was found and what was learned."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ncr_exporter import __version__
from ncr_exporter.app.once import OneRound
from ncr_exporter.check_online.api_findings import lessons
from ncr_exporter.check_online.observed import Seen
from ncr_exporter.check_online.output import findings_drawn, lessons_drawn
from ncr_exporter.check_online.preflight import ask_first
from ncr_exporter.check_online.results import Finding, Online, findings
from ncr_exporter.config import Config
from ncr_exporter.recording.exchange import Sink, Tap
from ncr_exporter.report.terminal import Span, Terminal, progress_of
from ncr_exporter.targets.targets import catalogs


async def check_online(
    config: Config,
    environ: Mapping[str, str],
    terminal: Terminal,
    *,
    sinks: Sequence[Sink] = (),
    with_progress: bool,
) -> int:
    """Ask, draw on `terminal`, and return the exit code; each answer goes to `sinks`, too."""
    one_round, seen = OneRound(config, environ), Seen()
    hooks = [Tap(one_round.clock, seen.take, *sinks)]
    wanted = catalogs(config)
    async with progress_of(one_round.store, wanted=with_progress):
        first = await ask_first(
            config,
            wanted,
            environ=environ,
            clock=one_round.clock,
            observer=one_round.own,
            hooks=hooks,
        )
        reachable = [catalog for catalog in wanted if first[catalog].worth_asking_more]
        await one_round.run(reachable, hooks)
    online = Online(config, environ, first, one_round.store, seen, one_round.clock.time())
    found = list(findings(online))
    terminal.file.writelines(
        f"{terminal.painted(line)}\n"
        for line in (
            *findings_drawn(found),
            [],
            *lessons_drawn(_title(config), lessons(seen)),
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
