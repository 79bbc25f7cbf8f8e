"""Faults of paging: pages that lead astray, wrong counts, duplicates, and lists that change.

Version 2 names the next page, version 3 the page that a response is and how many there are.
"""

import json
from collections.abc import Callable
from http import HTTPStatus

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.api_records import JsonRecord
from ncr_exporter.simulator.faults.fault import Apply, Fault
from ncr_exporter.simulator.responses import content_of, items_key, service_error, with_body

_TOO_MANY = 7


def _page(change: Callable[[JsonRecord, int], JsonRecord]) -> Apply:
    """Return a function that replaces fields of a page, given the page and its number from 1."""

    def apply(request: Request, response: Response) -> Response:
        if response.status != HTTPStatus.OK:
            return response
        content = content_of(response)
        if "page" in content:  # version 3, which counts from 0
            number = int(request.query.get("pageNo", "0")) + 1
        else:
            number = int(request.query.get("page", "1"))
        content |= change(content, number)
        return with_body(response, json.dumps(content).encode("ascii"))

    return apply


def _goes_on(
    of_v2: Callable[[JsonRecord, int], JsonRecord], of_v3: Callable[[JsonRecord, int], JsonRecord]
) -> Apply:
    """Return a function that replaces what a page says of the list, in either version.

    Each is given the page, in version 3 its totals, and its number from 1.
    """

    def change(content: JsonRecord, number: int) -> JsonRecord:
        if "page" in content:
            return {"page": {**content["page"], **of_v3(content["page"], number)}}
        return of_v2(content, number)

    return _page(change)


def _loop(_content: JsonRecord, number: int) -> JsonRecord:
    return {"next": number}


def _loop_v3(totals: JsonRecord, _number: int) -> JsonRecord:
    return {"pageNo": 0, "totalPages": totals["totalPages"] + 1}


def _back(_content: JsonRecord, number: int) -> JsonRecord:
    return {"next": number - 1} if number > 1 else {}


def _back_v3(_totals: JsonRecord, _number: int) -> JsonRecord:
    return {"pageNo": 0}


def _jump(content: JsonRecord, _number: int) -> JsonRecord:
    return {"next": content["next"] + 1} if content["next"] else {}


def _jump_v3(totals: JsonRecord, number: int) -> JsonRecord:
    return {"pageNo": totals["pageNo"] + 1} if number > 1 else {}


def _more(content: JsonRecord, _number: int) -> JsonRecord:
    return {"count": content["count"] + _TOO_MANY}


def _more_v3(totals: JsonRecord, _number: int) -> JsonRecord:
    return {"totalElements": totals["totalElements"] + _TOO_MANY}


def _twice(content: JsonRecord, _number: int) -> JsonRecord:
    key = items_key(content)
    return {key: content[key] * 2}


def _emptied(content: JsonRecord, _number: int) -> JsonRecord:
    return {items_key(content): []} | ({} if "page" in content else {"next": None})


def _missing(request: Request, response: Response) -> Response:
    is_first = request.query.get("page", "1") == "1" and request.query.get("pageNo", "0") == "0"
    return response if is_first else service_error(HTTPStatus.NOT_FOUND, "Not Found")


def _shifted(records: list[JsonRecord], page: int) -> list[JsonRecord]:
    """Return the list with one more record in front for each page before this one."""
    pushed = [{**record, "name": f"pushed-{page}"} for record in records[:1]]
    return pushed * (page - 1) + records


PAGING = (
    Fault(
        "duplicates",
        "every record of a page is sent twice",
        _page(_twice),
    ),
    Fault("next-loops", "each page leads to itself", _goes_on(_loop, _loop_v3)),
    Fault("next-back", "the second page leads back to the first", _goes_on(_back, _back_v3)),
    Fault("next-jumps", "each page leads to the one after the next", _goes_on(_jump, _jump_v3)),
    Fault(
        "count-lies",
        f"the count of records is {_TOO_MANY} too high",
        _goes_on(_more, _more_v3),
    ),
    Fault(
        "emptied",
        "200 with the right `count`, and no records",
        _page(_emptied),
    ),
    Fault("page-missing", "404 from the service for every page but the first", _missing),
    Fault("shifting", "a record is added to the list between two of its pages", relist=_shifted),
)
