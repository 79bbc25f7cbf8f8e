"""Faults of records in pages. Responses that are errors stay as they are."""

import json
from collections.abc import Callable
from http import HTTPStatus

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.ncr.datetimes import milliseconds
from ncr_exporter.simulator.api_records import JsonRecord
from ncr_exporter.simulator.faults.fault import Apply, Fault
from ncr_exporter.simulator.responses import body_of, content_of, items_key, with_body
from ncr_exporter.simulator.v3 import date_time

_NAN, _HUGE = "a size that is no number", "a size beyond any number"
_SIZES = {"full_size", "fullSize", "size"}
_TIMES = {"last_updated", "latest_pulled", "created", "updated"}
_V3_TIMES = {"lastPulledDateTime", "updatedDateTime", "createdDateTime", "lastPushedDateTime"}
_LONG = 100_000  # characters
_THOUSAND = 1000


def _each(spoil: Callable[[JsonRecord], JsonRecord]) -> Apply:
    """Return a function that changes every record of a page."""
    return _all(lambda records: [spoil(record) for record in records])


def _all_but_the_first(spoil: Callable[[JsonRecord], JsonRecord]) -> Apply:
    """Return a function that changes every record of a page but the first."""
    return _all(lambda records: [*records[:1], *(spoil(record) for record in records[1:])])


def _all(spoil: Callable[[list[JsonRecord]], list[JsonRecord]]) -> Apply:
    def apply(_request: Request, response: Response) -> Response:
        if response.status != HTTPStatus.OK:
            return response
        page = content_of(response)
        key = items_key(page)
        page[key] = spoil(page[key])
        return with_body(response, json.dumps(page).encode("ascii"))

    return apply


def _wrong_types(record: JsonRecord) -> JsonRecord:
    return {key: _wrong(record[key]) for key in record} | _name_of(record)


def _wrong(value: object) -> object:
    """Return a value of another type: a text for numbers and lists, a list for everything else."""
    return "many" if isinstance(value, int | float | list) else [value]


def _nulls(record: JsonRecord) -> JsonRecord:
    return dict.fromkeys(record) | _name_of(record)


def _name_of(record: JsonRecord) -> JsonRecord:
    return {key: value for key, value in record.items() if key == "name"}


def _without_platforms(record: JsonRecord) -> JsonRecord:
    return {**record, "images": []} if "images" in record else record


def _not_finite(request: Request, response: Response) -> Response:
    """Return the page with NaN as the size of tags, and 1e999 as the size of platforms."""
    response = _each(_without_finite_sizes)(request, response)
    body = body_of(response).replace(json.dumps(_NAN).encode(), b"NaN")
    return with_body(response, body.replace(json.dumps(_HUGE).encode(), b"1e999"))


def _without_finite_sizes(tag: JsonRecord) -> JsonRecord:
    size = next((field for field in ("full_size", "fullSize") if field in tag), None)
    if size is None:
        return tag
    platforms = [{**platform, "size": _HUGE} for platform in tag.get("images") or ()]
    return {**tag, size: _NAN, "images": platforms}


def _numbers(change: Callable[[str, int], object]) -> Apply:
    """Return a function that changes the whole numbers of records and of their platforms.

    Times of version 3, which are texts, count as the milliseconds that they stand for.
    """

    def changed(record: JsonRecord) -> JsonRecord:
        return {key: value_of(key, record[key]) for key in record}

    def value_of(key: str, value: object) -> object:
        if isinstance(value, list):
            return [changed(item) if isinstance(item, dict) else item for item in value]
        if key in _V3_TIMES and isinstance(value, str):
            return _changed_time(change, value)
        if isinstance(value, int) and not isinstance(value, bool):
            return change(key, value)
        return value

    return _each(changed)


def _changed_time(change: Callable[[str, int], object], text: str) -> object:
    """Return what a change of version 2's times makes of a time of version 3."""
    before = milliseconds(text)
    if before is None:
        return text
    after = change(next(iter(_TIMES)), before)
    if not isinstance(after, int):
        return text  # it is a text already
    return date_time(after) if after > before else after


def _named(rename: Callable[[str], str]) -> Apply:
    return _all_but_the_first(lambda record: {**record, "name": rename(record["name"])})


RECORDS = (
    Fault(
        "wrong-types",
        "every field of each record has the wrong type, except its name",
        _each(_wrong_types),
    ),
    Fault("nulls", "every field of each record is null, except its name", _each(_nulls)),
    Fault("no-platforms", "every tag has an empty list of platforms", _each(_without_platforms)),
    Fault("nan", "sizes are NaN and 1e999", _not_finite),
    Fault("strings", "numbers are written as strings", _numbers(lambda _, value: str(value))),
    Fault(
        "negative-sizes",
        "every size is below 0",
        _numbers(lambda key, value: -1 - value if key in _SIZES else value),
    ),
    Fault(
        "seconds",
        "times are in seconds instead of milliseconds",
        _numbers(lambda key, value: value // _THOUSAND if key in _TIMES else value),
    ),
    Fault(
        "far-times",
        "times are tens of thousands of years away",
        _numbers(lambda key, value: value * _THOUSAND if key in _TIMES else value),
    ),
    Fault(
        "surrogates",
        "all names on a page contain a lone surrogate, except the first",
        _named(lambda name: f"{name}\ud800"),
    ),
    Fault(
        "control",
        "all names on a page contain a line feed, a NUL and an escape, except the first",
        _named(lambda name: f'{name}\n\x00\x1b[31m"}} 1'),
    ),
    Fault(
        "long-names",
        "all names on a page are 100 kB long, except the first",
        _named(lambda name: name + "x" * _LONG),
    ),
)
