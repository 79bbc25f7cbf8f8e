"""Reports as CSV and JSON. docs/reports.md promises the names of the fields."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator

from ncr_exporter.report.in_use import InUse
from ncr_exporter.report.rows import ImageRow, Report, TagRow, never, utc_text

ReportFields = dict[str, object]
"""Name of a field → text, texts, number or boolean; None if unknown."""

_STARTS = "=+-@\uff1d\uff0b\uff0d\uff20"
"""What formulas begin with: `=+-@`, and the same in full width, which some programs take too."""
_START = f"[{re.escape(_STARTS)}]"
_FORMULA = re.compile(rf"""^(?=[\t\r\n]|\s*{_START})|([;\t\r\n][\s"']*)(?={_START})""")
"""Where a formula may begin: at the start, and after what some programs separate cells by."""


def image_fields(row: ImageRow) -> ReportFields:
    """Return the fields of an image.

    Sizes are bytes. Every time has two fields: ISO 8601 in UTC, and seconds since the epoch.
    """
    return {
        "registry": row.registry,
        "image": row.image,
        "owner": row.owner,
        "up": row.up,
        "tags": row.tags,
        "size_bytes": row.size,
        "stale_tags": row.stale_tags,
        "reclaimable_bytes": row.reclaimable,
        "never_pulled_tags": row.never_pulled_tags,
        "pulls": row.pulls,
        **_moment("last_pulled", row.pulled),
        **_moment("last_updated", row.updated),
        "unused_seconds": row.unused,
        **_moment("last_success", None if row.last_success is None else row.last_success * 1000),
        "failure_reason": row.failure.reason if row.failure else None,
        "failure": row.failure.message if row.failure else None,
    }


def tag_fields(row: TagRow) -> ReportFields:
    """Return the fields of a tag, in the units of `image_fields`."""
    return {
        "registry": row.registry,
        "image": row.image,
        "tag": row.tag,
        "owner": row.owner,
        "stale": row.stale,
        "verdict": row.verdict,
        "attached": row.attached,
        "aliases": row.aliases,
        "digest": row.digest,
        "size_bytes": row.size,
        "never_pulled": never(row),
        **_moment("last_pulled", row.pulled or None),
        **_moment("last_updated", row.updated),
        "unused_seconds": row.unused,
    }


def images_as_csv(report: Report) -> Iterator[str]:
    """Yield CSV: a header, then one line per image."""
    return _csv(image_fields(ImageRow("", "")), map(image_fields, report.images))


def stale_tags_as_csv(report: Report) -> Iterator[str]:
    """Yield CSV: a header, then one line per stale tag."""
    return _tags_csv(report.stale_tags)


def tags_as_csv(report: Report) -> Iterator[str]:
    """Yield CSV: a header, then one line per tag."""
    return _tags_csv(report.tags())


def _tags_csv(rows: Iterable[TagRow]) -> Iterator[str]:
    return _csv(tag_fields(TagRow("", "", "")), map(tag_fields, rows))


def images_as_json(report: Report) -> Iterator[str]:
    """Yield a JSON object with the time, the images, and all failures."""
    return _json("images", map(image_fields, report.images), report)


def stale_tags_as_json(report: Report) -> Iterator[str]:
    """Yield a JSON object with the time, the stale tags, and all failures.

    Images that failed may have stale tags that are not in the list.
    """
    return _json("stale_tags", map(tag_fields, report.stale_tags), report)


def tags_as_json(report: Report) -> Iterator[str]:
    """Yield a JSON object with the time, all tags that were listed, and all failures."""
    return _json("tags", map(tag_fields, report.tags()), report)


def _csv(header: Iterable[str], rows: Iterable[ReportFields]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line)
    for cells in (header, *([_cell(value) for value in row.values()] for row in rows)):
        writer.writerow(cells)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _cell(value: object) -> object:
    """Return a value as CSV shows it; empty if unknown.

    Text that a spreadsheet would run as a formula gets a `'` in front, because anyone who can push
    an image chooses its names. So does text after `;`, which separates cells in many languages.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and _may_hold_formula(value):
        return _FORMULA.sub(r"\1'", value)
    if isinstance(value, tuple):
        return _cell(" ".join(value))
    return "" if value is None else value


def _may_hold_formula(text: str) -> bool:
    # Few texts do, and this is ten times as fast as the search for the place.
    first = text[:1]
    if first.isspace() or (first and first in _STARTS):
        return True
    return ";" in text or "\t" in text or "\r" in text or "\n" in text


def _json(key: str, rows: Iterable[ReportFields], report: Report) -> Iterator[str]:
    failures = [
        {
            "place": place,
            "reason": failure.reason,
            "failure": failure.message,
            "remedy": failure.remedy,
        }
        for place, failure in report.failures.items()
    ]
    generated = _moment("generated", report.now * 1000)
    in_use = {} if report.in_use is None else {"in_use": _counts(report.in_use)}
    yield "{\n"
    for name, value in (generated | in_use).items():
        yield f"  {json.dumps(name)}: {_indented(value, 2)},\n"
    yield f"  {json.dumps(key)}: ["
    separator = "\n    "
    for row in rows:
        yield separator + _indented(row, 4)
        separator = ",\n    "
    yield "],\n" if separator == "\n    " else "\n  ],\n"
    yield f'  "failures": {_indented(failures, 2)}\n}}\n'


def _indented(value: object, spaces: int) -> str:
    """Return a value as JSON, its further lines indented: a line end within a text is escaped."""
    return json.dumps(value, indent=2).replace("\n", "\n" + " " * spaces)


def _counts(in_use: InUse) -> ReportFields:
    return {
        "references": in_use.references,
        "placed": in_use.placed,
        "not_placed": in_use.not_placed,
    }


def _moment(name: str, milliseconds: float | None) -> ReportFields:
    seconds = None if milliseconds is None else round(milliseconds / 1000, 3)
    text = None if seconds is None else utc_text(seconds)
    return {name: text, f"{name}_timestamp_seconds": seconds}
