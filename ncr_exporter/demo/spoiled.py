"""Well-framed answers whose content is wrong. Those that change records leave errors alone."""

import json
from collections.abc import Callable
from http import HTTPStatus

from ncr_exporter.demo.answers import body_of, content_of, with_body
from ncr_exporter.demo.records import Record
from ncr_exporter.web.messages import Request, Response

_NAN, _HUGE = "a size that is no number", "a size beyond any number"


def truncated(_request: Request, answer: Response) -> Response:
    """Return the first half of the JSON."""
    body = body_of(answer)
    return with_body(answer, body[: len(body) // 2])


def not_a_page(_request: Request, answer: Response) -> Response:
    """Return JSON that is no page of a list."""
    return with_body(answer, b'["this", "is", "no", "page"]')


def wrong_types(_request: Request, answer: Response) -> Response:
    """Return records whose every field but the name is of the wrong type."""
    return _each(answer, lambda record: {key: _wrong(record[key]) for key in record})


def nulls(_request: Request, answer: Response) -> Response:
    """Return records whose every field but the name is null."""
    return _each(answer, dict.fromkeys)


def no_platforms(_request: Request, answer: Response) -> Response:
    """Return tags without platforms."""
    return _each(answer, lambda record: {**record, "images": []} if "images" in record else record)


def not_finite(_request: Request, answer: Response) -> Response:
    """Return tags of size NaN and platforms of size 1e999."""
    answer = _each(answer, _without_finite_sizes)
    body = body_of(answer).replace(json.dumps(_NAN).encode(), b"NaN")
    return with_body(answer, body.replace(json.dumps(_HUGE).encode(), b"1e999"))


def _each(answer: Response, spoil: Callable[[Record], Record]) -> Response:
    """Spoil the records of a page, names apart."""
    if answer.status != HTTPStatus.OK:
        return answer
    page = content_of(answer)
    page["results"] = [spoil(record) | _name_of(record) for record in page["results"]]
    return with_body(answer, json.dumps(page).encode("ascii"))


def _name_of(record: Record) -> Record:
    return {key: value for key, value in record.items() if key == "name"}


def _wrong(value: object) -> object:
    """Return what `value` can never be: a text is right for no number, a list for nothing else."""
    return "many" if isinstance(value, int | float | list) else [value]


def _without_finite_sizes(tag: Record) -> Record:
    if "full_size" not in tag:
        return tag
    platforms = [{**platform, "size": _HUGE} for platform in tag.get("images") or ()]
    return {**tag, "full_size": _NAN, "images": platforms}
