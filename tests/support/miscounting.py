"""Lists of the simulated registry whose count is not the number of their names."""

import json
from collections.abc import Callable, Iterable

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.simulator.faults import Fault
from ncr_exporter.simulator.faults.fault import Relist, unchanged_list
from ncr_exporter.simulator.registry import AnsweredRequest, SimulatedRegistry
from ncr_exporter.simulator.responses import content_of, with_body
from tests.support.versions import page_number


def miscounting(difference: Callable[[], int], relist: Relist = unchanged_list) -> Fault:
    """Return a fault that adds `difference()` to the count of each page, in either version."""

    def apply(_request: Request, response: Response) -> Response:
        content = content_of(response)
        if "page" in content:
            content["page"]["totalElements"] += difference()
        else:
            content["count"] += difference()
        return with_body(response, json.dumps(content).encode("ascii"))

    return Fault("miscounting", "", apply, relist=relist)


def taken(registry: SimulatedRegistry) -> list[AnsweredRequest]:
    """Return what was requested since the last call."""
    requests = list(registry.requests)
    registry.requests.clear()
    return requests


def readings(requests: Iterable[AnsweredRequest]) -> int:
    """Return how many readings of lists these requests began: each asks for a first page."""
    return sum(page_number(request.target) == 1 for request in requests)
