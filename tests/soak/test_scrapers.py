"""Those who ask in a soak see what is wrong with an exporter: here one that is wrong on purpose."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.simulator.faults.connections import close
from tests.soak.readings import read
from tests.soak.scrapers import KINDS, Checks, Heard, Scrapers, at_work
from tests.support.clock import eventually
from tests.support.http_server import served

TAGS = """\
# HELP ncr_image_tags Tags.
# TYPE ncr_image_tags gauge
ncr_image_tags{registry="alpha",image="app-0"} 3
"""
POLLS = """\
# HELP ncr_image_polls_total Polls.
# TYPE ncr_image_polls_total counter
ncr_image_polls_total{registry="alpha",image="app-0"} %d
"""
CHECKS = Checks(lambda *_: False, lambda *_: False, "soak-secret")


async def heard(
    answer: Callable[[Request], Response],
    expected: str,
    checks: Checks = CHECKS,
) -> Heard:
    """Let everybody ask an exporter that answers so, until somebody finds what is expected."""

    async def handler(request: Request) -> Response:
        return answer(request)

    with ThreadPoolExecutor(1) as pool:
        async with (
            served(handler) as url,
            httpx.AsyncClient(base_url=url, trust_env=False) as client,
        ):
            scrapers = Scrapers(client, 1, checks, pool)
            async with at_work(scrapers.everybody()):
                await eventually(lambda: expected in "\n".join(scrapers.heard.problems))
            return scrapers.heard


def right(text: str) -> Callable[[Request], Response]:
    return lambda _: text_response(200, text, {"content-type": "text/plain; version=0.0.4"})


async def test_an_answer_of_500_is_seen() -> None:
    await heard(lambda _: text_response(500, ""), "/metrics answers 500")


async def test_who_is_not_ready_any_more_is_seen() -> None:
    await heard(lambda _: text_response(503, ""), "/-/ready answers 503")


async def test_a_secret_on_a_page_is_seen() -> None:
    await heard(right("# soak-secret-7\n"), "/config shows a secret")


async def test_an_answer_that_breaks_off_is_seen_and_not_the_end() -> None:
    assert (await heard(lambda _: Response(takeover=close), "probes: RemoteProtocolError")).rude


async def test_an_image_that_was_deleted_long_ago_is_seen() -> None:
    checks = Checks(lambda image, _: image == ("alpha", "app-0"), lambda *_: False, "soak-secret")
    await heard(right(TAGS), "('alpha', 'app-0') is published, deleted long ago", checks)


@pytest.mark.parametrize(("began_anew", "problems"), [(False, 1), (True, 0)])
def test_a_counter_may_fall_only_where_it_may_have_begun_anew(
    began_anew: bool,  # noqa: FBT001 -- a parametrised case
    problems: int,
) -> None:
    three, two = (read(POLLS % number, openmetrics=False) for number in (3, 2))
    checks = Checks(lambda *_: False, lambda *_: began_anew, "soak-secret")
    with ThreadPoolExecutor(1) as pool:
        scrapers = Scrapers(httpx.AsyncClient(), 1, checks, pool)
        scrapers.judge(KINDS[0], three, two, since=0.0, ago=0.0)
    assert len(scrapers.heard.problems) == problems
    assert all("fell from 3 to 2" in problem for problem in scrapers.heard.problems)
