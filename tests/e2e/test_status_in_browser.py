"""The status page in a real browser: what people see, with and without scripts."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.support.browser import DESKTOP, PHONE, all_served, chromium
from tests.support.scenes import House, empty, failing, few, many, tags
from tests.support.states import target

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


@pytest.mark.parametrize("name", ["few", "failing", "empty", "image"])
def test_axe_finds_nothing_that_keeps_people_from_reading(
    visit: Any, addresses: dict[str, str], name: str
) -> None:
    query = "?registry=my-registry&image=legacy/report" if name == "image" else ""
    page = visit().open(f"{addresses.get(name, addresses['few'])}/{query}")
    for details in page.locator("details").all()[:3]:
        details.locator("summary").click()
    by_day = Axe().run(page)
    page.emulate_media(color_scheme="dark")
    by_night = Axe().run(page, options={"runOnly": ["color-contrast"]})
    for found in (by_day, by_night):
        assert found.violations_count == 0, found.generate_report()
        assert found.response["passes"]


@pytest.mark.parametrize("name", ["few", "many", "failing", "hostile"])
def test_a_phone_need_not_scroll_sideways(visit: Any, addresses: dict[str, str], name: str) -> None:
    page = visit(viewport=PHONE).open(addresses[name])
    page.locator("summary").first.click()
    page.locator("summary").nth(1).click()
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) == PHONE["width"]
    if name != "failing":
        page.get_by_role("link", name="All about").first.click()
        page.get_by_role("link", name="All images").wait_for()
        page.wait_for_load_state()  # its style, too
    assert page.evaluate(width) == PHONE["width"]


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
    assert names(page) == ["hello/world", "legacy/report", "try/out"]
    page.get_by_role("link", name="Tags", exact=True).click()
    page.wait_for_url("**/?sort=tags&order=desc")
    page.locator("summary >> nth=0").get_by_text("legacy/report").wait_for()
    assert names(page) == ["legacy/report", "hello/world", "try/out"]
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
    assert page.get_by_role("rowheader").first.inner_text() == "1.294.0"


def test_with_script_typing_finds_at_once_and_what_was_open_stays_open(
    visit: Any, addresses: dict[str, str]
) -> None:
    it = visit()
    page = it.open(f"{addresses['few']}/")
    page.locator("summary").nth(1).click()
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
    page.get_by_role("link", name="Tags", exact=True).click()
    page.wait_for_url("**/?sort=tags&order=desc")
    page.go_back()
    page.locator("summary >> nth=0").get_by_text("hello/world").wait_for()
    assert names(page) == ["hello/world", "legacy/report", "try/out"]


def test_times_are_in_words_with_script_and_in_utc_without(
    visit: Any, addresses: dict[str, str]
) -> None:
    plain = visit(java_script_enabled=False).open(addresses["few"])
    assert plain.locator("time").first.inner_text() == "2025-10-09 08:52 UTC"
    page = visit().open(addresses["few"])
    assert page.locator("time").first.inner_text().endswith(" days ago")


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
