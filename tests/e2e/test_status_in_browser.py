"""The status page in a real browser: what people see, with and without scripts."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.support.browser import DESKTOP, PHONE, SMALL_PHONE, all_served, chromium
from tests.support.scenes import (
    TIMED_OUT,
    House,
    empty,
    failing,
    few,
    first_round,
    many,
    outage,
    tags,
)
from tests.support.states import NOW, target

pytestmark = pytest.mark.browser
HOSTILE = "<img src=//elsewhere.example/x onerror=alert(1)>'\"&{{7*7}}"
LONG = "a" * 200


def hostile() -> House:
    """An image with a name that would run or load something, and one that has no end."""
    house = House()
    house.registry(HOSTILE, images=2)
    house.polled(target(HOSTILE, HOSTILE), tags(3))
    house.polled(target(LONG, HOSTILE), tags(3))
    return house


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """Each scene's address."""
    scenes = {
        "few": few(),
        "many": many(600),
        "failing": failing(8),
        "empty": empty(),
        "hostile": hostile(),
        "outage": outage(),
        "first-round": first_round(),
    }
    with all_served({name: scene.routes() for name, scene in scenes.items()}) as found:
        yield found


class Visit:
    """One visitor's window, and whatever went wrong in it."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context = browser.new_context(viewport=options.pop("viewport", DESKTOP), **options)
        self.context.set_default_timeout(15_000)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))

    def _console(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)

    def open(self, url: str) -> Page:
        self.page.goto(url)
        return self.page


@pytest.fixture
def visit(browser: Browser) -> Iterator[Any]:
    visits: list[Visit] = []

    def begin(**options: Any) -> Visit:
        visits.append(Visit(browser, **options))
        return visits[-1]

    yield begin
    for each in visits:
        each.context.close()
        assert each.complaints == []


def names(page: Page) -> list[str]:
    return page.locator("summary .words b").all_inner_texts()


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
@pytest.mark.parametrize("name", ["few", "failing", "empty", "outage", "first-round", "image"])
def test_axe_finds_nothing_that_keeps_people_from_reading(
    visit: Any, addresses: dict[str, str], name: str, locale: str
) -> None:
    query = "?registry=my-registry&image=legacy/report" if name == "image" else ""
    page = visit(locale=locale).open(f"{addresses.get(name, addresses['few'])}/{query}")
    for details in page.locator("details").all()[:3]:
        details.locator("summary").click()
    by_day = Axe().run(page)
    page.emulate_media(color_scheme="dark")
    by_night = Axe().run(page, options={"runOnly": ["color-contrast"]})
    for found in (by_day, by_night):
        assert found.violations_count == 0, found.generate_report()
        assert found.response["passes"]


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
@pytest.mark.parametrize("name", ["few", "many", "failing", "hostile"])
def test_a_phone_need_not_scroll_sideways(
    visit: Any, addresses: dict[str, str], name: str, locale: str
) -> None:
    page = visit(viewport=SMALL_PHONE, locale=locale).open(addresses[name])
    page.locator("summary").first.click()
    page.locator("summary").nth(1).click()
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) == SMALL_PHONE["width"]
    if name != "failing":
        page.locator(".inside a").first.click()
        page.locator(".crumbs").wait_for()
        page.wait_for_load_state()  # its style, too
    assert page.evaluate(width) == SMALL_PHONE["width"]


def test_everything_comes_from_the_exporter_itself(visit: Any, addresses: dict[str, str]) -> None:
    it = visit()
    it.open(f"{addresses['hostile']}/")
    it.page.locator("summary").first.click()
    assert len(it.asked) >= 3
    assert all(url.startswith(f"{addresses['hostile']}/") for url in it.asked)
    assert HOSTILE in names(it.page)


@pytest.mark.parametrize("script", [False, True])
def test_sorting_finding_and_opening(
    visit: Any, addresses: dict[str, str], *, script: bool
) -> None:
    page = visit(java_script_enabled=script).open(addresses["few"])
    assert names(page) == ["legacy/report", "hello/world", "try/out"], "the most to reclaim first"
    page.get_by_role("link", name="Tags", exact=True).click()
    page.wait_for_url("**/?sort=tags&order=desc")
    page.locator(".heads .tags a").click()
    page.wait_for_url("**/?sort=tags&order=asc")
    page.locator("summary >> nth=0").get_by_text("try/out").wait_for()
    assert names(page) == ["try/out", "hello/world", "legacy/report"]
    page.get_by_role("searchbox").fill("hello")
    page.get_by_role("button", name="Find").click()
    page.get_by_text("1 found").wait_for()
    assert names(page) == ["hello/world"]
    assert "sort=tags" in page.url
    page.locator("summary").click()
    assert page.get_by_role("cell", name="80.0 MB").first.is_visible()
    page.get_by_role("link", name="All about hello/world").click()
    page.get_by_role("heading", level=1, name="hello/world").wait_for()
    page.get_by_role("link", name="Unused for").click()
    page.get_by_role("columnheader", name="Unused for").and_(
        page.locator("[aria-sort=descending]")
    ).wait_for()
    assert page.get_by_role("rowheader").locator("bdi").first.inner_text() == "1.294.0"


def test_with_script_typing_finds_at_once_and_what_was_open_stays_open(
    visit: Any, addresses: dict[str, str]
) -> None:
    it = visit()
    page = it.open(f"{addresses['few']}/")
    page.locator("summary").first.click()
    loads = sum(url == it.asked[0] for url in it.asked)
    page.get_by_role("searchbox").press_sequentially("legacy")
    page.get_by_text("1 found").wait_for()
    assert names(page) == ["legacy/report"]
    assert page.locator("details[open]").count() == 1
    assert page.get_by_role("searchbox").input_value() == "legacy"
    assert page.evaluate("document.activeElement.id") == "q"
    assert sum(url == it.asked[0] for url in it.asked) == loads, "the page was not loaded again"


def test_with_script_back_leads_back(visit: Any, addresses: dict[str, str]) -> None:
    page = visit().open(f"{addresses['few']}/")
    page.get_by_role("link", name="Image", exact=True).click()
    page.wait_for_url("**/?sort=name&order=asc")
    page.locator("summary >> nth=0").get_by_text("hello/world").wait_for()
    page.go_back()
    page.locator("summary >> nth=0").get_by_text("legacy/report").wait_for()
    assert names(page) == ["legacy/report", "hello/world", "try/out"]


def test_times_are_in_words_with_script_and_in_utc_without(
    visit: Any, addresses: dict[str, str]
) -> None:
    plain = visit(java_script_enabled=False).open(addresses["few"])
    assert plain.locator(".headline time").inner_text() == "2025-10-09 08:53 UTC"
    assert plain.locator(".registries time").first.inner_text() == "2025-10-09 08:52 UTC"
    page = visit().open(addresses["few"])
    assert page.locator(".registries time").first.inner_text().endswith(" days ago")


def test_a_keyboard_is_enough(visit: Any, addresses: dict[str, str]) -> None:
    page = visit().open(addresses["few"])
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1


def test_many_are_shown_by_pages(visit: Any, addresses: dict[str, str]) -> None:
    page = visit().open(addresses["many"])
    assert page.locator("details").count() == 100
    page.get_by_role("link", name="Next").click()
    page.get_by_text("101 to 200 of 600 images").wait_for()


LINES = """summary => {
  const range = document.createRange();
  const bottoms = [];
  const walker = document.createTreeWalker(summary, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (!data.trim() || parentElement.closest(".aside")) continue;
    range.selectNodeContents(walker.currentNode);
    for (const box of range.getClientRects()) bottoms.push(box.bottom);
  }
  bottoms.sort((a, b) => a - b);
  return bottoms.filter((bottom, i) => i === 0 || bottom - bottoms[i - 1] > 6).length;
}"""


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
def test_on_a_phone_an_image_takes_five_lines(
    visit: Any, addresses: dict[str, str], locale: str
) -> None:
    page = visit(viewport=PHONE, locale=locale).open(addresses["few"])
    lines = [summary.evaluate(LINES) for summary in page.locator(".images summary").all()]
    assert lines == [5, 5, 5]


# Left open


@pytest.fixture
def watched(visit: Any) -> Iterator[tuple[Visit, House, str]]:
    """A visit to a page of a house that can change meanwhile."""
    house = few()
    with all_served({"few": house.routes()}) as addresses:
        visitor = visit()
        visitor.page.clock.install(time=NOW)
        visitor.open(f"{addresses['few']}/?sort=name&order=asc")
        yield visitor, house, addresses["few"]
        visitor.page.close()  # before the server ends: the page may ask for something at any time


def test_a_page_that_is_left_open_shows_what_happens(watched: tuple[Visit, House, str]) -> None:
    visitor, house, _ = watched
    page = visitor.page
    page.locator("summary").nth(1).click()
    page.locator("summary").nth(1).focus()
    house.store.record_failure(target("legacy/report"), TIMED_OUT, at=NOW, duration=1.0)
    page.clock.run_for(31_000)
    page.get_by_role("heading", name="1 of 3 images cannot be polled").wait_for()
    assert page.title().startswith("1 of 3 images")
    assert page.locator("details[open] summary .old").inner_text() == "values from 3 minutes ago"
    focused = "document.activeElement.closest('details')?.dataset.key"
    assert page.evaluate(focused) == "?registry=my-registry&image=legacy%2Freport"
    assert page.url.endswith("/?sort=name&order=asc")


def test_a_page_that_nobody_sees_asks_for_nothing(watched: tuple[Visit, House, str]) -> None:
    visitor, _, address = watched
    hidden = "{get: () => 'hidden', configurable: true}"
    visitor.page.evaluate(f"Object.defineProperty(document, 'visibilityState', {hidden})")
    before = len(visitor.asked)
    visitor.page.clock.run_for(95_000)
    assert len(visitor.asked) == before
    visitor.page.evaluate("delete document.visibilityState")
    with visitor.page.expect_response(f"{address}/**"):
        visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_what_somebody_is_selecting_stays(watched: tuple[Visit, House, str]) -> None:
    visitor, house, _ = watched
    page = visitor.page
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.images b'))")
    house.store.record_failure(target("hello/world"), TIMED_OUT, at=NOW, duration=1.0)
    page.clock.run_for(31_000)
    assert page.evaluate("String(getSelection())") == "hello/world"
    page.evaluate("getSelection().removeAllRanges()")
    page.clock.run_for(31_000)
    page.get_by_role("heading", name="1 of 3 images cannot be polled").wait_for()


def test_where_the_exporter_is_gone_the_page_says_how_old_it_is(
    watched: tuple[Visit, House, str],
) -> None:
    visitor, _, _ = watched
    page = visitor.page
    page.locator("summary").first.click()
    assert not page.get_by_role("status").is_visible()
    visitor.context.set_offline(offline=True)
    page.clock.run_for(20 * 60_000)
    page.get_by_text("This page is not up to date").wait_for()
    assert page.locator(".as-of").inner_text() == "Page updated 20 minutes ago"
    due = page.locator("time.next").first.inner_text()
    assert due == "was due 7 minutes ago", "nobody knows whether it was polled"
    visitor.context.set_offline(offline=False)
    visitor.complaints.clear()  # the browser tells of each request that failed
    page.clock.run_for(31_000)
    page.get_by_role("status").wait_for(state="hidden")
    assert page.locator(".as-of").inner_text() == "Page updated just now"


# References

REFERENCE = "my-registry.kr.ncr.ntruss.com/hello/world:latest"


@pytest.mark.parametrize("modern", [True, False])
def test_a_reference_is_copied_by_its_button(
    visit: Any, addresses: dict[str, str], *, modern: bool
) -> None:
    it = visit()
    if modern:
        it.context.grant_permissions(["clipboard-read", "clipboard-write"])
    else:  # as over HTTP, from another machine
        it.page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page = it.open(f"{addresses['few']}/?registry=my-registry&image=hello/world")
    button = page.get_by_role("button", name=f"Copy {REFERENCE}").first
    button.click()
    page.get_by_text("Copied", exact=True).wait_for()
    assert page.evaluate("document.activeElement.dataset.copy") == REFERENCE
    page.get_by_role("searchbox").focus()
    page.keyboard.press("Control+V")
    assert page.get_by_role("searchbox").input_value() == REFERENCE


def test_without_script_a_reference_can_be_selected_and_no_button_pretends(
    visit: Any, addresses: dict[str, str]
) -> None:
    page = visit(java_script_enabled=False).open(f"{addresses['few']}/?q=hello")
    page.locator("summary").click()
    assert page.get_by_text(REFERENCE, exact=True).is_visible()
    assert not page.locator("button.copy").first.is_visible()


# Languages


@pytest.mark.parametrize("script", [False, True])
def test_a_korean_browser_gets_korean_and_may_choose_english(
    visit: Any, addresses: dict[str, str], *, script: bool
) -> None:
    page = visit(locale="ko-KR", java_script_enabled=script).open(f"{addresses['few']}/")
    page.get_by_role("heading", name="이미지 3개를 모두 정상적으로 조회하고 있습니다").wait_for()
    page.get_by_role("link", name="용량", exact=True).click()
    page.wait_for_url("**/?sort=size&order=desc")
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/?sort=size&order=desc&lang=en")
    page.get_by_role("searchbox").fill("legacy")
    page.get_by_role("button", name="Find").click()
    page.get_by_text("1 found").wait_for()
    assert "lang=en" in page.url
    page.locator("summary").click()
    page.get_by_role("link", name="All about legacy/report").click()
    page.get_by_role("link", name="All images").click()
    page.get_by_role("heading", name="All 3 images are polled without failures").wait_for()


def test_with_script_times_are_in_the_pages_language(visit: Any, addresses: dict[str, str]) -> None:
    page = visit(locale="en-GB").open(f"{addresses['few']}/?lang=ko")
    assert page.locator(".registries time").first.inner_text().endswith("일 전")
    assert page.locator(".as-of").inner_text() == "방금 전 기준"
