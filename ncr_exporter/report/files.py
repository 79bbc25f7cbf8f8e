"""Rows as CSV and JSON. The fields are a promise: docs/reports.md names them."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from ncr_exporter.report.rows import ImageRow, Report, TagRow, never, utc_text

Record = dict[str, object]
"""Field → text, number, boolean, or None for what is not known."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def image_record(row: ImageRow) -> Record:
    """Return the fields of an image; bytes, and each time twice: as text and as seconds."""
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


def tag_record(row: TagRow) -> Record:
    """Return the fields of a stale tag; as `image_record`."""
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
    """Yield a header and a line per image."""
    return _csv(image_record(ImageRow("", "")), map(image_record, report.images))


def tags_as_csv(report: Report) -> Iterator[str]:
    """Yield a header and a line per stale tag."""
    return _csv(tag_record(TagRow("", "", "")), map(tag_record, report.stale_tags))


def images_as_json(report: Report) -> Iterator[str]:
    """Yield one object: when, the images, and what failed, registries among it."""
    return _json("images", map(image_record, report.images), report)


def tags_as_json(report: Report) -> Iterator[str]:
    """Yield one object: when, the stale tags, and what failed: there may be more."""
    return _json("stale_tags", map(tag_record, report.stale_tags), report)


def _csv(fields: Iterable[str], records: Iterable[Record]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line)
    for cells in (fields, *([_cell(value) for value in record.values()] for record in records)):
        writer.writerow(cells)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _cell(value: object) -> object:
    """Return a cell: a spreadsheet must not take a text from outside for a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def _json(key: str, records: Iterable[Record], report: Report) -> Iterator[str]:
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
    yield json.dumps({**generated, key: list(records), "failures": failures}, indent=2)
    yield "\n"


def _moment(name: str, milliseconds: float | None) -> Record:
    seconds = None if milliseconds is None else round(milliseconds / 1000, 3)
    return {name: iso(seconds), f"{name}_timestamp_seconds": seconds}


def iso(seconds: float | None) -> str | None:
    """Return a time as text; None where there is none."""
    return None if seconds is None else utc_text(seconds)
