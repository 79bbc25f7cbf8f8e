"""`ncr-exporter once`: poll everything once and print what was found."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

from ncr_exporter.app.once import Failed, OneRound, failed
from ncr_exporter.cli.flags import (
    CONFIG_FILE,
    QUIET_LOG_FLAGS,
    Command,
    Flag,
    UsageError,
    Values,
    boolean,
    choice,
)
from ncr_exporter.config import load
from ncr_exporter.report import files, table
from ncr_exporter.report.rows import Report
from ncr_exporter.report.terminal import Terminal, progress_of
from ncr_exporter.runtime.atomicfile import refuse_unwritable, write_whole
from ncr_exporter.runtime.signals import run_to_its_end

_METRICS = "prometheus"
_NAMED = 5
"""Places of one failure that are named; the rest are counted."""
_READABLE_BY_ALL = 0o644
"""Rights of what is written: node_exporter runs as a user of its own."""


def _run(values: Values, environ: Mapping[str, str]) -> int:
    output = Path(values["--output"]) if values["--output"] else None
    if values["--stale"] and values["--format"] == _METRICS:
        raise UsageError("--stale: needs --format=table, json or csv")
    if output is not None:
        refuse_unwritable(output)
    one_round = OneRound(load(values["--config.file"], environ), environ)
    return run_to_its_end(_once(one_round, values, output))


async def _once(one_round: OneRound, values: Values, output: Path | None) -> int:
    async with progress_of(one_round.store, wanted=values["--log.level"] == "error"):
        await one_round.run()
    failures = list(failed(one_round.store))
    if output:
        content = _content(one_round, values, failures, io.StringIO())
        write_whole(output, content, mode=_READABLE_BY_ALL)
    else:
        sys.stdout.buffer.writelines(_content(one_round, values, failures, sys.stdout))
        sys.stdout.flush()
    _explain(failures)
    return int(any(failure.matters for failure in failures))


def _content(
    one_round: OneRound, values: Values, failures: Iterable[Failed], file: IO[str]
) -> Iterator[bytes]:
    """Yield what was asked for: metrics, or a report drawn as `file` can show it."""
    now = one_round.clock.time()
    if values["--format"] == _METRICS:
        edition = one_round.exposition.edition
        if values["--output"]:
            return edition.text(None, openmetrics=False)
        own = one_round.own.text(openmetrics=False)
        return chain(edition.text(now, openmetrics=False), [own])
    causes = {failure.place: failure.failure for failure in failures}
    report = Report(one_round.store.images.values(), now, causes)
    return (text.encode() for text in _form(values, file)(report))


def _form(values: Values, file: IO[str]) -> Callable[[Report], Iterable[str]]:
    terminal = Terminal(file)
    forms: Mapping[tuple[str, bool], Callable[[Report], Iterable[str]]] = {
        ("table", False): partial(table.images_as_table, terminal),
        ("table", True): partial(table.tags_as_table, terminal),
        ("json", False): files.images_as_json,
        ("json", True): files.tags_as_json,
        ("csv", False): files.images_as_csv,
        ("csv", True): files.tags_as_csv,
    }
    return forms[values["--format"], values["--stale"]]


def _explain(failures: Iterable[Failed]) -> None:
    """Say what failed and what to do, once for all that failed alike."""
    places: dict[tuple[str, str], list[str]] = {}
    for failure in failures:
        alike = (failure.failure.message, failure.failure.remedy)
        places.setdefault(alike, []).append(failure.place)
    for (message, remedy), names in places.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        named = ", ".join(names[:_NAMED])
        sys.stderr.write(f"ncr-exporter: {named}{more} failed: {message}; {remedy}\n")


COMMAND = Command(
    "poll everything once and print what was found",
    (
        CONFIG_FILE,
        Flag(
            "--format",
            _METRICS,
            choice((_METRICS, "table", "json", "csv")),
            "prometheus, or a report as table, json or csv",
        ),
        Flag(
            "--stale", "false", boolean, "report the stale tags instead of the images", switch=True
        ),
        Flag(
            "--output",
            None,
            str,
            "write to this file, whole or not at all; metrics as node_exporter's textfile "
            "collector takes them",
        ),
        *QUIET_LOG_FLAGS,
    ),
    _run,
)
