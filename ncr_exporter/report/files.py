"""Reports as CSV and JSON. docs/reports.md promises the names of the fields."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from ncr_exporter.report.rows import ImageRow, Report, TagRow, never, utc_text

ReportFields = dict[str, object]
"""Name of a field → text, number or boolean; None if unknown."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def image_fields(row: ImageRow) -> ReportFields:
    """Return the fields of an image.

    Sizes are bytes. Every time has two fields: ISO 8601 in UTC, and seconds since the epoch.
    """
    return {
        "registry": row.registry,
        "image": row.image,
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
    """Return the fields of a stale tag, in the units of `image_fields`."""
    return {
        "registry": row.registry,
        "image": row.image,
        "tag": row.tag,
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


def tags_as_csv(report: Report) -> Iterator[str]:
    """Yield CSV: a header, then one line per stale tag."""
    return _csv(tag_fields(TagRow("", "", "")), map(tag_fields, report.stale_tags))


def images_as_json(report: Report) -> Iterator[str]:
    """Yield a JSON object with the time, the images, and all failures."""
    return _json("images", map(image_fields, report.images), report)


def tags_as_json(report: Report) -> Iterator[str]:
    """Yield a JSON object with the time, the stale tags, and all failures.

    Images that failed may have stale tags that are not in the list.
    """
    return _json("stale_tags", map(tag_fields, report.stale_tags), report)


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

    A text that a spreadsheet would run as a formula gets a `'` in front, because whoever pushes an
    image chooses its names.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


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
    yield json.dumps({**generated, key: list(rows), "failures": failures}, indent=2)
    yield "\n"


def _moment(name: str, milliseconds: float | None) -> ReportFields:
    seconds = None if milliseconds is None else round(milliseconds / 1000, 3)
    text = None if seconds is None else utc_text(seconds)
    return {name: text, f"{name}_timestamp_seconds": seconds}
