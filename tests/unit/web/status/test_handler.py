"""The page over HTTP."""

import asyncio
import gc
import gzip
import sys
import time
from contextlib import suppress

import pytest

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.state.model import Failure
from ncr_exporter.targets.targets import ImageKey
from ncr_exporter.web.routes import Routes
from ncr_exporter.web.status.handler import StatusPage
from tests.support.clock import ManualClock
from tests.support.scenes import House, few
from tests.support.states import NOW, target
from tests.unit.httpd.test_connection import asking, exchange, house, statuses

PAGES = ["/", "/?q=hello", "/?registry=my-registry&image=hello/world", "/static/status.css"]
FAILED = Failure("timeout", "no answer", "check the network")


async def ask(routes: Routes, target: str = "/", method: str = "GET", **headers: str) -> Response:
    """Return the answer, not yet sent."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await routes(Request(method, target, named))


def body_of(response: Response) -> bytes:
    return b"".join(response.body)


@pytest.mark.parametrize("path", PAGES)
async def test_what_is_known_already_is_not_sent_again(path: str) -> None:
    routes = few().routes()
    etag = (await ask(routes, path)).headers["etag"]
    for known in (etag, f'"other", {etag}', etag.removeprefix("W/"), "*"):
        again = await ask(routes, path, if_none_match=known)
        assert (again.status, body_of(again), again.length) == (304, b"", None)
        assert again.headers["etag"] == etag
    assert (await ask(routes, path, if_none_match='"other"')).status == 200


async def test_within_a_minute_only_the_data_decides_then_the_new_moment_is_said() -> None:
    it = few()
    clock = ManualClock(NOW)
    routes = it.routes(clock)
    before = (await ask(routes)).headers["etag"]
    await clock.advance(39)
    assert (await ask(routes, if_none_match=before)).status == 304
    it.store.record_failure(target("try/out"), FAILED, at=NOW, duration=1.0)
    changed = await ask(routes, if_none_match=before)
    assert changed.status == 200
    await clock.advance(1)
    later = await ask(routes, if_none_match=changed.headers["etag"])
    assert b"2025-10-09 08:54 UTC" in body_of(later)


@pytest.mark.parametrize("path", PAGES)
async def test_a_304_and_a_head_over_a_real_connection(path: str) -> None:
    routes = few().routes()
    etag = (await routes(Request("GET", path))).headers["etag"]
    async with house(routes) as it:
        known = await exchange(
            it.port, asking("GET", path, f"if-none-match: {etag}", "connection: close")
        )
        head = await exchange(it.port, asking("HEAD", path, "connection: close"))
    assert statuses(known) == [304]
    assert known.endswith(b"\r\n\r\n")
    assert statuses(head) == [200]
    assert head.endswith(b"\r\n\r\n")
    assert b"content-length: " in head
    assert etag.encode() in head


@pytest.mark.parametrize("path", PAGES)
async def test_compressed_it_is_the_same_page(path: str) -> None:
    routes = few().routes()
    plain, packed = await ask(routes, path), await ask(routes, path, accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body_of(packed)) == body_of(plain)
    assert packed.headers["etag"] == plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"]
    assert packed.headers["vary"].startswith("accept-encoding")


@pytest.mark.parametrize("path", PAGES)
async def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_inline(path: str) -> None:
    headers = (await ask(few().routes(), path)).headers
    policy = headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules.values()) == {"'none'", "'self'"}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-type"].startswith("text/css" if "css" in path else "text/html")


SEOUL = "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"
LONDON = "en-GB,en;q=0.9,ko;q=0.5"


@pytest.mark.parametrize(
    ("path", "accepted", "language"),
    [
        ("/", "", "en"),
        ("/", SEOUL, "ko"),
        ("/", LONDON, "en"),
        ("/?lang=ko", LONDON, "ko"),
        ("/?lang=en", SEOUL, "en"),
        ("/?lang=xx", SEOUL, "ko"),
        ("/?registry=my-registry&image=hello/world", SEOUL, "ko"),
        ("/?image=nothing", SEOUL, "ko"),
    ],
)
async def test_the_page_is_in_the_language_that_is_asked_for(
    path: str, accepted: str, language: str
) -> None:
    answer = await ask(few().routes(), path, accept_language=accepted)
    assert f'<html lang="{language}">' in body_of(answer).decode()
    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "accept-encoding, accept-language"


async def test_each_language_is_a_page_of_its_own_for_caches() -> None:
    routes = few().routes()
    english, korean = await ask(routes), await ask(routes, accept_language=SEOUL)
    assert english.headers["etag"] != korean.headers["etag"]
    known = await ask(routes, if_none_match=korean.headers["etag"], accept_language=SEOUL)
    assert (known.status, known.headers["vary"]) == (304, "accept-encoding, accept-language")
    assert "accept-language" not in (await ask(routes, "/static/status.css")).headers["vary"]


async def test_no_such_image_is_404_and_has_no_304() -> None:
    routes = few().routes()
    answer = await ask(routes, "/?image=nothing", if_none_match="*")
    assert answer.status == 404
    assert b"No such image" in body_of(answer)


async def test_the_links_are_those_of_what_is_served() -> None:
    page = body_of(await ask(few().routes())).decode()
    assert [path in page for path in ("./metrics", "./-/ready", "./-/healthy")] == [True] * 3
    served = (await ask(few().routes(), "/report.csv")).status == 200
    assert ('href="./report.csv"' in page) is served


async def test_a_message_that_is_no_text_costs_no_page() -> None:
    it = few()
    it.store.record_failure(
        target("try/out"), Failure("other", "\udc80", "?"), at=NOW, duration=1.0
    )
    assert (await ask(it.routes())).status == 200


async def visited(routes: Routes, count: int) -> list[Response]:
    return await asyncio.gather(*(routes(Request("GET", "/")) for _ in range(count)))


async def test_of_many_visitors_at_a_time_some_are_refused_and_later_ones_are_not() -> None:
    routes = few().routes()
    answers = await visited(routes, 9)
    assert sorted(answer.status for answer in answers) == [200] * 4 + [503] * 5
    assert {answer.headers.get("retry-after") for answer in answers} == {None, "2"}
    refused = next(answer for answer in answers if answer.status == 503)
    assert body_of(refused) == b"too many visitors; try again in a moment\n"
    assert (await ask(routes)).status == 200


async def test_pages_are_rendered_one_after_another() -> None:
    """Several threads at work would take the interpreter from the event loop in turns."""
    at_work, most = [0], [0]

    def next_poll(_: ImageKey) -> None:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        time.sleep(0.002)
        at_work[0] -= 1

    page = StatusPage(few().store, next_poll)
    await asyncio.gather(*(page.page(Request("GET", "/")) for _ in range(4)))
    assert most == [1]


@pytest.mark.parametrize("fails", [False, True])
async def test_the_interpreter_is_as_it_was_after_a_page(*, fails: bool) -> None:
    seen: set[tuple[float, bool]] = set()

    def next_poll(_: ImageKey) -> None:
        seen.add((sys.getswitchinterval(), gc.isenabled()))
        if fails:
            raise ZeroDivisionError

    before = (sys.getswitchinterval(), gc.isenabled())
    page = StatusPage(few().store, next_poll)
    with suppress(ZeroDivisionError):
        await page.page(Request("GET", "/"))
    assert {(round(interval, 6), collects) for interval, collects in seen} == {(0.001, False)}
    assert (sys.getswitchinterval(), gc.isenabled()) == before
    assert before[1] is True


async def test_a_page_is_rendered_beside_the_event_loop() -> None:
    """Templates are slow; a scrape that comes meanwhile is answered before the page is."""
    routes, done = few().routes(), list[str]()

    async def note(path: str) -> None:
        await routes(Request("GET", path))
        done.append(path)

    await asyncio.gather(note("/"), note("/metrics"))
    assert done == ["/metrics", "/"]


async def test_the_page_is_of_one_moment() -> None:
    """Whatever polls put in force while it is rendered."""
    it = House()
    it.registry("my-registry")
    visit = asyncio.ensure_future(it.routes()(Request("GET", "/")))
    await asyncio.sleep(0)
    it.polled(target("late"), FAILED)
    assert b"late" not in body_of(await visit)
