"""Which fields records have, against the documentation; how times are written. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ncr_exporter.check_online.observed import (
    NOT_LEARNED,
    Record,
    Seen,
    number,
    platforms_of,
    tally,
)

_DOCUMENTED: dict[str, str] = {
    "registry": "bucket created end_point end_point_enabled name private_end_point private_id "
    "public_reg_status scan_on_push_enabled status",
    "image": "can_edit description is_automated is_private last_updated name namespace "
    "pull_count repository_type star_count status user",
    "tag": "creator digest full_size id image_id images last_updated last_updater name "
    "repository v2",
    "platform": "architecture created digest features latest_pulled mediaType os os_features "
    "os_version size updated variant",
}
_TIMES = {
    "registry": ("created",),
    "image": ("last_updated",),
    "tag": ("last_updated",),
    "platform": ("created", "updated", "latest_pulled"),
}
_LONGEST_SHOWN = 40
_SECONDS, _MILLISECONDS = (10**9, 10**10), (10**12, 10**13)
"""What a time of the years 2001 to 2286 lies between."""


def known(seen: Seen) -> Iterator[str]:
    """Tell which documented fields no record has, and which fields nobody documented."""
    for kind, records in _kinds(seen):
        had = {name for record in records for name in record}
        documented = set(_DOCUMENTED[kind].split())
        missing, more = sorted(documented - had), sorted(map(_shown, had - documented))
        finding = f"without {', '.join(missing)}" if missing else "all that are documented"
        finding += f"; also {', '.join(more)}" if more else ""
        yield f"{kind}: {finding if records else NOT_LEARNED}"


def times(seen: Seen) -> Iterator[str]:
    """Tell how times are written."""
    for kind, records in _kinds(seen):
        for name in _TIMES[kind]:
            if records:
                kinds = Counter(_time_is(record, name) for record in records)
                yield f"{kind} {name}: {tally(kinds)}"


def _shown(name: str) -> str:
    return (
        name
        if name.isidentifier() and len(name) <= _LONGEST_SHOWN
        else ascii(name)[:_LONGEST_SHOWN]
    )


def _kinds(seen: Seen) -> Iterator[tuple[str, Sequence[Record]]]:
    tags = seen.records("tag_list")
    yield "registry", seen.records("registry_list")
    yield "image", seen.records("image_list")
    yield "tag", tags
    yield "platform", [platform for tag in tags for platform in platforms_of(tag)]


def _time_is(record: Record, name: str) -> str:
    if name not in record:
        return "missing"
    value, moment = record[name], number(record[name])
    if value is None or moment == 0:
        return "null" if value is None else "0"
    if moment is None:
        return f"{type(value).__name__}, no number"
    unit = "out of range"
    for low, high, name_of_unit in ((*_MILLISECONDS, "milliseconds"), (*_SECONDS, "seconds")):
        if low <= moment < high:
            unit = name_of_unit
    return f"{unit} as text" if isinstance(value, str) else unit
