"""Pages whose records are wrong; errors are left alone."""

import json
from collections.abc import Callable
from http import HTTPStatus

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.faults.fault import Apply, Fault
from ncr_exporter.simulator.records import Record
from ncr_exporter.simulator.responses import body_of, content_of, with_body

_NAN, _HUGE = "a size that is no number", "a size beyond any number"
_SIZES = {"full_size", "size"}
_TIMES = {"last_updated", "latest_pulled", "created", "updated"}
_LONG = 100_000  # characters
_THOUSAND = 1000


def _each(spoil: Callable[[Record], Record]) -> Apply:
    """Return the doing of a fault of every record."""
    return _all(lambda records: [spoil(record) for record in records])


def _all_but_the_first(spoil: Callable[[Record], Record]) -> Apply:
    """Return the doing of a fault that leaves one record of a page to stand."""
    return _all(lambda records: [*records[:1], *(spoil(record) for record in records[1:])])


def _all(spoil: Callable[[list[Record]], list[Record]]) -> Apply:
    def apply(_request: Request, answer: Response) -> Response:
        if answer.status != HTTPStatus.OK:
            return answer
        page = content_of(answer)
        page["results"] = spoil(page["results"])
        return with_body(answer, json.dumps(page).encode("ascii"))

    return apply


def _wrong_types(record: Record) -> Record:
    return {key: _wrong(record[key]) for key in record} | _name_of(record)


def _wrong(value: object) -> object:
    """Return what `value` can never be: a text is right for no number, a list for nothing else."""
    return "many" if isinstance(value, int | float | list) else [value]


def _nulls(record: Record) -> Record:
    return dict.fromkeys(record) | _name_of(record)


def _name_of(record: Record) -> Record:
    return {key: value for key, value in record.items() if key == "name"}


def _without_platforms(record: Record) -> Record:
    return {**record, "images": []} if "images" in record else record


def _not_finite(request: Request, answer: Response) -> Response:
    """Return tags of size NaN and platforms of size 1e999."""
    answer = _each(_without_finite_sizes)(request, answer)
    body = body_of(answer).replace(json.dumps(_NAN).encode(), b"NaN")
    return with_body(answer, body.replace(json.dumps(_HUGE).encode(), b"1e999"))


def _without_finite_sizes(tag: Record) -> Record:
    if "full_size" not in tag:
        return tag
    platforms = [{**platform, "size": _HUGE} for platform in tag.get("images") or ()]
    return {**tag, "full_size": _NAN, "images": platforms}


def _numbers(change: Callable[[str, int], object]) -> Apply:
    """Return the doing of a fault of whole numbers, those of platforms too."""

    def changed(record: Record) -> Record:
        return {key: value_of(key, record[key]) for key in record}

    def value_of(key: str, value: object) -> object:
        if isinstance(value, list):
            return [changed(item) if isinstance(item, dict) else item for item in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return change(key, value)
        return value

    return _each(changed)


def _named(rename: Callable[[str], str]) -> Apply:
    return _all_but_the_first(lambda record: {**record, "name": rename(record["name"])})


RECORDS = (
    Fault(
        "wrong-types",
        "every field of each record but its name is of the wrong type",
        _each(_wrong_types),
    ),
    Fault("nulls", "every field of each record but its name is null", _each(_nulls)),
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
        "times are in seconds in place of milliseconds",
        _numbers(lambda key, value: value // _THOUSAND if key in _TIMES else value),
    ),
    Fault(
        "far-times",
        "times are tens of thousands of years away",
        _numbers(lambda key, value: value * _THOUSAND if key in _TIMES else value),
    ),
    Fault(
        "surrogates",
        "names but the first of a page hold a lone surrogate",
        _named(lambda name: f"{name}\ud800"),
    ),
    Fault(
        "control",
        "names but the first of a page hold a line feed, a NUL and an escape",
        _named(lambda name: f'{name}\n\x00\x1b[31m"}} 1'),
    ),
    Fault(
        "long-names",
        "names but the first of a page are 100 kB long",
        _named(lambda name: name + "x" * _LONG),
    ),
)
