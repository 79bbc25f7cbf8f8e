"""`ncr-exporter once`: poll everything once and print what was found."""

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

from ncr_exporter.commands import CONFIG_FILE, QUIET_LOG_FLAGS, Command, Values
from ncr_exporter.commands.endings import run_to_its_end
from ncr_exporter.config import load
from ncr_exporter.flags import Flag, UsageError, boolean, choice
from ncr_exporter.oneround import Failed, OneRound, failed
from ncr_exporter.report import files, table
from ncr_exporter.report.rows import Report
from ncr_exporter.terminal import console_on, progress_of
from ncr_exporter.textfile import refuse_unwritable, write_whole

_METRICS = "prometheus"
_NAMED = 5
"""Places of one failure that are named; the rest are counted."""


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
    if values["--format"] == _METRICS:
        pieces = _inventory(one_round) if output else _exposition(one_round)
    else:
        report = Report(
            one_round.store.images.values(),
            one_round.clock.time(),
            {failure.place: failure.failure for failure in failures},
        )
        drawn = _form(values, io.StringIO() if output else sys.stdout)
        pieces = (text.encode() for text in drawn(report))
    if output:
        write_whole(output, pieces)
    else:
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.flush()
    _explain(failures)
    return int(any(failure.matters for failure in failures))


def _exposition(one_round: OneRound) -> Iterable[bytes]:
    images = one_round.exposition.edition.text(one_round.clock.time(), openmetrics=False)
    return chain(images, [one_round.own.text(openmetrics=False)])


def _inventory(one_round: OneRound) -> Iterable[bytes]:
    """Return what may lie in a file: node_exporter has `process_*` and `python_*` of its own."""
    return one_round.exposition.edition.text(None, openmetrics=False)


def _form(values: Values, file: IO[str]) -> Callable[[Report], Iterable[str]]:
    console = console_on(file)
    forms: Mapping[tuple[str, bool], Callable[[Report], Iterable[str]]] = {
        ("table", False): partial(table.images_as_table, console),
        ("table", True): partial(table.tags_as_table, console),
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
