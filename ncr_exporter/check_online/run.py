"""Runs `check --online`: asks for everything once, and prints results and findings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ncr_exporter import __version__
from ncr_exporter.app.pipeline import Pipeline
from ncr_exporter.check_online.api_findings import api_findings
from ncr_exporter.check_online.observed import ObservedResponses
from ncr_exporter.check_online.other_version import ask_v3, list_in_other_version
from ncr_exporter.check_online.output import finding_lines, result_lines
from ncr_exporter.check_online.preflight import request_registry_lists
from ncr_exporter.check_online.results import CheckResult, OnlineCheck, check_results
from ncr_exporter.config import Config
from ncr_exporter.recording.exchange import Sink, Tap
from ncr_exporter.report.terminal import Span, Terminal, progress_bar
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.runtime.startup_signals import end_command_on_signals

_LANGUAGES = {"ko": "ko-KR", "ja": "ja-JP"}
"""Language of a locale → as version 3 of the API names it. Its default is English."""


async def check_online(
    config: Config,
    environ: Mapping[str, str],
    terminal: Terminal,
    *,
    sinks: Sequence[Sink] = (),
    with_progress: bool,
) -> int:
    """Check a configuration against the API, and return the exit code.

    Args:
        config: the configuration to check.
        environ: the environment, for the API key and for hints on proxies.
        terminal: where results and findings are printed.
        sinks: each gets a copy of every exchange with the API.
        with_progress: whether to show a progress bar on stderr.

    Raises:
        UserError: the configuration cannot be used.
    """
    clock, observed = SystemClock(), ObservedResponses()
    hooks, language = [Tap(clock, observed.add, *sinks)], language_of(environ)
    async with (
        Pipeline(
            config, environ=environ, clock=clock, once=True, hooks=hooks, language=language
        ) as pipeline,
        progress_bar(pipeline.store, wanted=with_progress),
    ):
        lists = await request_registry_lists(pipeline)
        v3 = await ask_v3(pipeline, lists, language)
        await pipeline.poll_once([target for target in lists if lists[target].account_works])
        await list_in_other_version(pipeline, v3, language)
    end_command_on_signals()  # a reader that takes nothing would hold the event loop
    check = OnlineCheck(config, environ, lists, v3, pipeline.store, observed, clock.time())
    results = list(check_results(check))
    _print(results, config, observed, terminal)
    return int(any(result.verdict in {"FAILED", "not asked"} for result in results))


def language_of(environ: Mapping[str, str]) -> str:
    """Return the language of the person at the terminal, as the API knows it; empty for English.

    By POSIX: the first of these variables that is not empty decides.
    """
    given = (environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return _LANGUAGES.get(next((locale for locale in given if locale), "")[:2], "")


def _print(
    results: Sequence[CheckResult], config: Config, observed: ObservedResponses, terminal: Terminal
) -> None:
    terminal.file.writelines(
        f"{terminal.painted(line)}\n"
        for line in (
            *result_lines(results),
            [],
            *finding_lines(_title(config), api_findings(observed)),
            [],
            [Span(_summary(results), "bold")],
        )
    )
    terminal.file.flush()


def _title(config: Config) -> str:
    day = datetime.now(UTC).date().isoformat()
    run = f"ncr-exporter {__version__}, {config.api.zone} zone, {day}"
    return f"Findings on the API ({run})"


def _summary(results: Sequence[CheckResult]) -> str:
    counts = Counter(result.verdict for result in results)
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
