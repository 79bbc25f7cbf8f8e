"""Lists that do not page as they should."""

import json
from collections.abc import Callable
from http import HTTPStatus

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.faults.fault import Apply, Fault
from ncr_exporter.simulator.records import Record
from ncr_exporter.simulator.responses import content_of, with_body

_LIE = 7


def _page(change: Callable[[Record, int], Record]) -> Apply:
    """Return the doing of a fault of a page, given its number."""

    def apply(request: Request, answer: Response) -> Response:
        if answer.status != HTTPStatus.OK:
            return answer
        content = content_of(answer)
        content |= change(content, int(request.query.get("page", "1")))
        return with_body(answer, json.dumps(content).encode("ascii"))

    return apply


def _loop(_content: Record, number: int) -> Record:
    return {"next": number}


def _back(_content: Record, number: int) -> Record:
    return {"next": number - 1} if number > 1 else {}


def _jump(content: Record, _number: int) -> Record:
    return {"next": content["next"] + 1} if content["next"] else {}


def _shifted(records: list[Record], page: int) -> list[Record]:
    """Return the list after one push for each page read before this one."""
    pushed = [{**record, "name": f"pushed-{page}"} for record in records[:1]]
    return pushed * (page - 1) + records


PAGING = (
    Fault(
        "duplicates",
        "every record of a page comes twice",
        _page(lambda content, _: {"results": content["results"] * 2}),
    ),
    Fault("next-loops", "each page names itself as the next", _page(_loop)),
    Fault("next-back", "the second page names the first as the next", _page(_back)),
    Fault("next-jumps", "each page leaves one out of its `next`", _page(_jump)),
    Fault(
        "count-lies",
        f"`count` is {_LIE} more than there are",
        _page(lambda content, _: {"count": content["count"] + _LIE}),
    ),
    Fault("shifting", "between two pages of a list something is pushed", relist=_shifted),
)
