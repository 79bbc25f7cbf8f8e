"""Runs `check --online`: asks for everything once, and prints results and findings."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ncr_exporter import __version__
from ncr_exporter.app.pipeline import Pipeline
from ncr_exporter.check_online.api_findings import api_findings
from ncr_exporter.check_online.observed import ObservedResponses
from ncr_exporter.check_online.other_version import ask_v3, list_in_other_version
from ncr_exporter.check_online.output import finding_lines, remedy_lines, result_lines
from ncr_exporter.check_online.preflight import request_registry_lists
from ncr_exporter.check_online.results import CheckResult, OnlineCheck, check_results
from ncr_exporter.config import Config
from ncr_exporter.recording.exchange import Sink, Tap
from ncr_exporter.recording.recorder import Recorder, RecordError
from ncr_exporter.report.terminal import Cell, Span, Terminal, progress_bar, prose
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.runtime.startup_signals import end_command_on_signals

_LANGUAGES = {"ko": "ko-KR", "ja": "ja-JP"}
"""Language of a locale → as version 3 of the API names it. Its default is English."""

_ABOUT_FINDINGS = (
    "--findings also prints what was learned where the API's documentation is silent. "
    "It holds no names, keys or digests: please put it into an issue."
)


async def check_online(  # noqa: PLR0913 -- what the flags ask for, each by name
    config: Config,
    environ: Mapping[str, str],
    terminal: Terminal,
    *,
    recorder: Recorder | None = None,
    with_findings: bool = False,
    with_progress: bool,
) -> int:
    """Check a configuration against the API, and return the exit code.

    Args:
        config: the configuration to check.
        environ: the environment, for the API key and for hints on proxies.
        terminal: where results and findings are printed.
        recorder: keeps every exchange with the API, and the findings.
        with_findings: whether these are printed. Printed or kept, they take one more tag list.
        with_progress: whether to show a progress bar on stderr.

    Raises:
        UserError: the configuration cannot be used.
        RecordError: the recording could not be written; the results are printed.
    """
    clock, observed = SystemClock(), ObservedResponses()
    hooks, language = [Tap(clock, observed.add, *_sinks(recorder))], language_of(environ)
    async with (
        Pipeline(
            config, environ=environ, clock=clock, once=True, hooks=hooks, language=language
        ) as pipeline,
        progress_bar(pipeline.store, wanted=with_progress),
    ):
        lists = await request_registry_lists(pipeline)
        v3 = await ask_v3(pipeline, lists, language)
        await pipeline.poll_once([target for target in lists if lists[target].account_works])
        if with_findings or recorder:
            await list_in_other_version(pipeline, v3, language)
    end_command_on_signals()  # a reader that takes nothing would hold the event loop
    check = OnlineCheck(config, environ, lists, v3, pipeline.store, observed, clock.time())
    results = list(check_results(check))
    _report(results, _Findings(config, observed), terminal, recorder, with_findings=with_findings)
    return int(any(result.verdict in {"FAILED", "not asked"} for result in results))


def _sinks(recorder: Recorder | None) -> list[Sink]:
    return [recorder.add] if recorder else []


def language_of(environ: Mapping[str, str]) -> str:
    """Return the language of the person at the terminal, as the API knows it; empty for English.

    By POSIX: the first of these variables that is not empty decides.
    """
    given = (environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return _LANGUAGES.get(next((locale for locale in given if locale), "")[:2], "")


@dataclass(frozen=True)
class _Findings:
    """What was learned of the API."""

    config: Config
    observed: ObservedResponses

    def lines(self, width: int | None) -> list[Cell]:
        return list(finding_lines(_title(self.config), api_findings(self.observed), width))

    def text(self) -> str:
        lines = ("".join(span.text for span in line) for line in self.lines(None))
        return "".join(f"{line}\n" for line in lines)


def _report(
    results: Sequence[CheckResult],
    findings: _Findings,
    terminal: Terminal,
    recorder: Recorder | None,
    *,
    with_findings: bool,
) -> None:
    """Print everything, and keep the findings if the responses are recorded.

    Raises:
        RecordError: the recording could not be written; the results are printed.
    """
    width, failure, kept = terminal.width, None, ""
    if recorder:
        try:
            recorder.keep_findings(findings.text())
            kept = recorder.finish()
        except RecordError as error:
            failure = error
    about = kept or ("" if with_findings else _ABOUT_FINDINGS)
    notes = [[Span(line, "dim")] for line in prose(about, width)] if about else []
    _print(results, [*(findings.lines(width) if with_findings else []), *notes], terminal)
    if failure:
        raise failure


def _print(results: Sequence[CheckResult], notes: Iterable[Cell], terminal: Terminal) -> None:
    """Print what was found; what to do and the verdict come last, where a person looks first."""
    blocks = (
        result_lines(results, terminal.width),
        notes,
        remedy_lines(results, terminal.width),
        [[Span(_summary(results), "bold")]],
    )
    for number, lines in enumerate(filter(None, map(list, blocks))):
        terminal.file.write("\n" if number else "")
        terminal.file.writelines(f"{terminal.painted(line)}\n" for line in lines)
    terminal.file.flush()


def _title(config: Config) -> str:
    day = datetime.now(UTC).date().isoformat()
    run = f"ncr-exporter {__version__}, {config.api.zone} zone, {day}"
    return f"Findings on the API ({run})"


def _summary(results: Sequence[CheckResult]) -> str:
    counts: Counter[str] = Counter(result.verdict for result in results)
    plural = {"warning": "warnings"} if counts["warning"] > 1 else {}
    return ", ".join(f"{number} {plural.get(name, name)}" for name, number in counts.items())
