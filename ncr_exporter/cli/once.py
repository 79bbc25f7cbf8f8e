"""`ncr-exporter once`: polls everything once, and prints metrics or a report."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TextIO

from ncr_exporter.app.config_source import ENVIRONMENT
from ncr_exporter.app.pipeline import FailedPoll, Pipeline
from ncr_exporter.cli.check import config_source
from ncr_exporter.cli.flags import (
    CONFIG_FILE,
    QUIET_LOG_FLAGS,
    STORAGE_PATH,
    Command,
    Flag,
    UsageError,
    Values,
    boolean,
    choice,
)
from ncr_exporter.cli.messages import complain, note_at_a_terminal, warn
from ncr_exporter.config import Config
from ncr_exporter.config.suggestions import some_of
from ncr_exporter.report import files, table
from ncr_exporter.report.in_use import InUse, Reference, place, read_references
from ncr_exporter.report.rows import Report
from ncr_exporter.report.terminal import Terminal, progress_bar
from ncr_exporter.report.verdicts import idle_pattern_remedy, idle_pattern_text
from ncr_exporter.runtime.atomicfile import check_writable, write_atomically
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.memory import give_back_large_blocks
from ncr_exporter.runtime.signals import run_until_interrupted
from ncr_exporter.runtime.startup_signals import end_command_on_signals
from ncr_exporter.state.model import RegistryState
from ncr_exporter.state.persistence import StatePersister
from ncr_exporter.state.store import Store

_STDIN = "-"
_METRICS = "prometheus"
"""The format that is no report."""
_FOR_PEOPLE = "table"
"""The format that is no data; all others are UTF-8 everywhere."""
_NAMED = 5
"""Places named in a failure that concerns more; the others are counted."""
_READABLE_BY_ALL = 0o644
"""Mode of the output file: node_exporter reads it as another user."""


def _run(values: Values, environ: Mapping[str, str]) -> int:
    _check(values)
    output = _resolved(values["--output"]) if values["--output"] else None
    if output is not None:
        check_writable(output)
    source = config_source(values, environ)
    if source.is_stdin and values["--in-use"] == _STDIN:
        raise UsageError("--config.file=- and --in-use=-: stdin can be only one of them")
    config = source.read()
    if config.source == ENVIRONMENT:
        note_at_a_terminal(f"there is no {source.path}: the environment alone says what to poll")
    references = _references(values["--in-use"]) if values["--in-use"] else None
    return run_until_interrupted(_once(config, values, environ, output, references))


def _check(values: Values) -> None:
    wanted = [flag for flag in ("--stale", "--tags") if values[flag]]
    if len(wanted) > 1:
        raise UsageError("--stale and --tags: name one of them")
    if wanted and _format(values) == _METRICS:
        raise UsageError(f"{wanted[0]}: needs --format=table, json or csv")
    if values["--in-use"] and not wanted:
        raise UsageError("--in-use: needs --stale or --tags")


def _resolved(path: str) -> Path:
    """Return a path without links: to replace a link such as /dev/stdout would leave its target.

    Raises:
        UserError: its links lead in a circle.
    """
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError):
        raise UserError(f"cannot write {path}: its links lead in a circle") from None


def _format(values: Values) -> str:
    """Return the format: tags on stdout are a table where none is asked for."""
    wants_tags = values["--stale"] or values["--tags"]
    if wants_tags and "--format" not in values.given and not values["--output"]:
        return "table"
    return str(values["--format"])


def _references(source: str) -> list[Reference | None]:
    """Return the references in a file, or of stdin.

    Raises:
        UserError: it cannot be read, or holds none: "nothing runs" is rather a command that failed.
    """
    name = "stdin" if source == _STDIN else source
    try:
        content = sys.stdin.buffer.read() if source == _STDIN else Path(source).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror}") from error
    references = list(read_references(content.decode(errors="replace")))
    if not any(references):
        raise UserError(f"{name}: holds no image reference, so nothing is known of what runs")
    return references


async def _once(
    config: Config,
    values: Values,
    environ: Mapping[str, str],
    output: Path | None,
    references: list[Reference | None] | None,
) -> int:
    give_back_large_blocks()
    clock, is_logged = SystemClock(), values["--log.level"] != "error"
    persister = (
        StatePersister(values["--storage.path"], clock) if values["--storage.path"] else None
    )
    if persister:
        persister.prepare()
    saved = persister.read() if persister else None
    async with (
        Pipeline(config, environ=environ, clock=clock, saved=saved, once=True) as pipeline,
        progress_bar(pipeline.store, wanted=not is_logged),
    ):
        await pipeline.poll_once()
    end_command_on_signals()  # a reader that takes nothing would hold the event loop
    failed = list(pipeline.failed_polls())
    _warn_of_wrong_clock(pipeline.clock.correction)
    in_use = None if references is None else _placed(references, pipeline.store)
    _deliver(pipeline, values, failed, in_use, output)
    if not is_logged:
        _name_idle_patterns(pipeline.store.registries.values())
    _explain(failed)
    is_stored = await _store(persister, pipeline) if persister else True
    return int(any(poll.matters for poll in failed) or not is_stored)


def _deliver(
    pipeline: Pipeline,
    values: Values,
    failed: Iterable[FailedPoll],
    in_use: InUse | None,
    output: Path | None,
) -> None:
    """Print the content, or write it to `output`, unless that would be the end of good data."""
    if output is None:
        sys.stdout.buffer.writelines(_content(pipeline, values, failed, in_use, sys.stdout))
        sys.stdout.flush()
    elif output.exists() and _nothing_is_known(pipeline, failed):
        complain(f"nothing could be listed, so {output} stays as it was")
    else:
        content = _content(pipeline, values, failed, in_use, io.StringIO())
        write_atomically(output, content, mode=_READABLE_BY_ALL)


def _nothing_is_known(pipeline: Pipeline, failed: Iterable[FailedPoll]) -> bool:
    """Return whether polls failed and there is no listing, of this run or of an earlier one.

    A file written now would lack all that the last good one holds.
    """
    is_known = any(state.tags is not None for state in pipeline.store.images.values())
    return not is_known and any(poll.matters for poll in failed)


async def _store(persister: StatePersister, pipeline: Pipeline) -> bool:
    """Write the data for the next run, and return whether that succeeded; if not, print why."""
    await persister.write(pipeline.store, pipeline.clock.correction)
    persister.release()
    if persister.failure is not None:
        complain(
            f"--storage.path: {persister.failure}; the next run starts from older data, or none"
        )
    return persister.failure is None


def _warn_of_wrong_clock(correction: float) -> None:
    """Say on stderr that this host's clock is wrong, where it is; `correction` is in seconds."""
    if correction:
        off = f"{abs(correction):.0f} s {'behind' if correction > 0 else 'ahead of'}"
        complain(
            f"this host's clock is {off} the API's; ages and what is stale go by the"
            " API's; synchronise this host's clock (NTP)"
        )


def _placed(references: Iterable[Reference | None], store: Store) -> InUse:
    """Return what runs, and say on stderr what may be missing from it."""
    in_use = place(references, store.registries.values(), store.images)
    if in_use.unknown_hosts:
        named = ", ".join(in_use.unknown_hosts[:_NAMED])
        complain(
            f"--in-use: no registry that was polled is known to have"
            f" the host {named}: what runs from there is not spared;"
            " private hosts are known where the key may read the registry list"
        )
    return in_use


def _content(
    pipeline: Pipeline,
    values: Values,
    failed: Iterable[FailedPoll],
    in_use: InUse | None,
    file: TextIO,
) -> Iterator[bytes]:
    """Yield the output: metrics or a report.

    With `--output` the metrics are the inventory only: node_exporter publishes `process_*` series
    of its own, and an age in a file does not grow.

    Args:
        pipeline: the pipeline that polled everything.
        values: the values of the flags.
        failed: the failed polls, for the report.
        in_use: what runs, for the report.
        file: where a table will be printed; decides on its width and colours.
    """
    now = pipeline.clock.time()
    if _format(values) == _METRICS:
        snapshot = pipeline.exposition.snapshot
        if values["--output"]:
            return snapshot.text(None, openmetrics=False)
        exporter = pipeline.exporter_metrics.text(openmetrics=False)
        return chain(snapshot.text(now, openmetrics=False), [exporter])
    causes = {poll.place: poll.failure for poll in failed}
    report = Report(pipeline.store.images.values(), now, causes, in_use)
    texts = _form(values, file)(report)
    if _format(values) == _FOR_PEOPLE:  # in the encoding of their console
        return (text.encode(file.encoding or "utf-8", "backslashreplace") for text in texts)
    return (text.encode() for text in texts)


def _form(values: Values, file: TextIO) -> Callable[[Report], Iterable[str]]:
    terminal = Terminal(file)
    forms: Mapping[str, tuple[Callable[[Report], Iterable[str]], ...]] = {
        "table": (
            partial(table.images_as_table, terminal),
            partial(table.stale_tags_as_table, terminal),
            partial(table.tags_as_table, terminal),
        ),
        "json": (files.images_as_json, files.stale_tags_as_json, files.tags_as_json),
        "csv": (files.images_as_csv, files.stale_tags_as_csv, files.tags_as_csv),
    }
    images, stale_tags, tags = forms[_format(values)]
    if values["--tags"]:
        return tags
    return stale_tags if values["--stale"] else images


def _explain(failed: Iterable[FailedPoll]) -> None:
    """Print failures and remedies to stderr, one line for all places with the same failure."""
    places: dict[tuple[str, str], list[str]] = {}
    for poll in failed:
        cause = (poll.failure.message, poll.failure.remedy)
        places.setdefault(cause, []).append(poll.place)
    for (message, remedy), names in places.items():
        complain(f"{some_of(names, _NAMED)} failed: {message}; {remedy}")


def _name_idle_patterns(registries: Iterable[RegistryState]) -> None:
    """Print what in the configuration matches nothing; an empty registry is said to be empty."""
    for state in registries:
        if state.failure is None and state.images == 0:
            warn(f"{state.target.label}: the registry is empty: it has no images")
        for idle in state.idle_patterns:
            what, remedy = idle_pattern_text(idle), idle_pattern_remedy(idle)
            warn(f"{state.target.label}: {what}; {remedy}")


COMMAND = Command(
    "Poll everything once, and print the metrics or a report.",
    (
        CONFIG_FILE,
        Flag(
            "--format",
            _METRICS,
            choice((_METRICS, "table", "json", "csv")),
            "prometheus for metrics; table, json or csv for a report, of tags a table by default",
        ),
        Flag(
            "--stale", "false", boolean, "report the stale tags instead of the images", switch=True
        ),
        Flag(
            "--tags",
            "false",
            boolean,
            "report all tags, each with its verdict and why",
            switch=True,
        ),
        Flag(
            "--in-use",
            None,
            str,
            "with --stale or --tags: image references that run, from this file or - for stdin",
        ),
        Flag(
            "--output",
            None,
            str,
            "write to this file, atomically; metrics for node_exporter's textfile collector",
        ),
        STORAGE_PATH,
        *QUIET_LOG_FLAGS,
    ),
    _run,
)
