"""Faults of paging: wrong `next` and `count`, duplicates, and lists that change between pages."""

import json
from collections.abc import Callable
from http import HTTPStatus

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.api_records import JsonRecord
from ncr_exporter.simulator.faults.fault import Apply, Fault
from ncr_exporter.simulator.responses import content_of, service_error, with_body

_TOO_MANY = 7


def _page(change: Callable[[JsonRecord, int], JsonRecord]) -> Apply:
    """Return a function that replaces fields of a page, given the page and its number."""

    def apply(request: Request, response: Response) -> Response:
        if response.status != HTTPStatus.OK:
            return response
        content = content_of(response)
        content |= change(content, int(request.query.get("page", "1")))
        return with_body(response, json.dumps(content).encode("ascii"))

    return apply


def _loop(_content: JsonRecord, number: int) -> JsonRecord:
    return {"next": number}


def _back(_content: JsonRecord, number: int) -> JsonRecord:
    return {"next": number - 1} if number > 1 else {}


def _jump(content: JsonRecord, _number: int) -> JsonRecord:
    return {"next": content["next"] + 1} if content["next"] else {}


def _missing(request: Request, response: Response) -> Response:
    is_first = request.query.get("page", "1") == "1"
    return response if is_first else service_error(HTTPStatus.NOT_FOUND, "Not Found")


def _shifted(records: list[JsonRecord], page: int) -> list[JsonRecord]:
    """Return the list with one more record in front for each page before this one."""
    pushed = [{**record, "name": f"pushed-{page}"} for record in records[:1]]
    return pushed * (page - 1) + records


PAGING = (
    Fault(
        "duplicates",
        "every record of a page is sent twice",
        _page(lambda content, _: {"results": content["results"] * 2}),
    ),
    Fault("next-loops", "each page names itself as the next", _page(_loop)),
    Fault("next-back", "the second page names the first as the next", _page(_back)),
    Fault("next-jumps", "the `next` of each page skips one page", _page(_jump)),
    Fault(
        "count-lies",
        f"`count` is {_TOO_MANY} too high",
        _page(lambda content, _: {"count": content["count"] + _TOO_MANY}),
    ),
    Fault(
        "emptied",
        "200 with the right `count`, and no records",
        _page(lambda _, __: {"results": [], "next": None}),
    ),
    Fault("page-missing", "404 from the service for every page but the first", _missing),
    Fault("shifting", "a record is added to the list between two of its pages", relist=_shifted),
)
