"""Which fields records have, against the documentation; how times are written. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ncr_exporter.check_online.observed import NOT_LEARNED, ObservedResponses, number, tally
from ncr_exporter.ncr.vocabulary import RECORD_FIELDS
from ncr_exporter.ncr.wire import RawRecord, raw_platforms

_LONGEST_SHOWN = 40
_SECONDS, _MILLISECONDS = (10**9, 10**10), (10**12, 10**13)
"""What a time of the years 2001 to 2286 lies between."""


def known(observed: ObservedResponses) -> Iterator[str]:
    """Tell which documented fields no record has, and which fields nobody documented."""
    for kind, records in _kinds(observed):
        had = {name for record in records for name in record.sent}
        documented = RECORD_FIELDS[kind].keys()
        missing, more = sorted(documented - had), sorted(map(_shown, had - documented))
        finding = f"without {', '.join(missing)}" if missing else "all that are documented"
        finding += f"; also {', '.join(more)}" if more else ""
        yield f"{kind}: {finding if records else NOT_LEARNED}"


def times(observed: ObservedResponses) -> Iterator[str]:
    """Tell how times are written."""
    for kind, records in _kinds(observed):
        for name, content in RECORD_FIELDS[kind].items():
            if records and content == "time":
                kinds = Counter(_time_is(record, name) for record in records)
                yield f"{kind} {name}: {tally(kinds)}"


def _shown(name: str) -> str:
    return (
        name
        if name.isidentifier() and len(name) <= _LONGEST_SHOWN
        else ascii(name)[:_LONGEST_SHOWN]
    )


def _kinds(observed: ObservedResponses) -> Iterator[tuple[str, Sequence[RawRecord]]]:
    tags = observed.records("tag_list")
    yield "registry", observed.records("registry_list")
    yield "image", observed.records("image_list")
    yield "tag", tags
    yield "platform", [platform for tag in tags for platform in raw_platforms(tag)]


def _time_is(record: RawRecord, name: str) -> str:
    if name not in record.sent:
        return "missing"
    value, moment = record.sent[name], number(record.sent[name])
    if value is None or moment == 0:
        return "null" if value is None else "0"
    if moment is None:
        return f"{type(value).__name__}, no number"
    unit = "out of range"
    for low, high, name_of_unit in ((*_MILLISECONDS, "milliseconds"), (*_SECONDS, "seconds")):
        if low <= moment < high:
            unit = name_of_unit
    return f"{unit} as text" if isinstance(value, str) else unit
