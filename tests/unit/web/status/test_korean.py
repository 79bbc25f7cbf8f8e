"""The page in Korean: whole, in every scene, with its links and forms."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest

from ncr_exporter.inventory import Tag
from ncr_exporter.ncr import errors
from ncr_exporter.state.model import DeletedImage, Failure
from ncr_exporter.texts import failures
from ncr_exporter.texts.text import Text
from ncr_exporter.web.status.page import StatusSnapshot, render
from tests.support.scenes import SCENES, House, few, many, outage, tags
from tests.support.states import NOW, NOW_MS, platform, target
from tests.unit.web.status.test_page import Page, one, shown, snapshot_of

NOT_OURS = {"bdi", "code", "time", "option"}
"""Elements with names, references and what others said."""
WORDS_OF_THE_FIELD = {
    *("ncr-exporter", "UTC", "pull", "pull되지", "push", "CSV", "OK"),
    *("kB", "MB", "GB", "TB", "SBOM", "API", "DNS", "IP", "TLS", "HTTP"),
}
"""What Korean speakers call so, and units."""
SAID = ("aria-label", "placeholder", "title", "alt", "data-label", "data-just-now", "data-copied")
"""Attributes that people read or hear."""
VOID = {"meta", "link", "input", "rect", "br"}


class Words(HTMLParser):
    """The English words of a page that are ours: neither names nor marked as English."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.open: list[tuple[str, bool]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_ours = tag not in NOT_OURS and given.get("lang") != "en"
        if tag not in VOID:
            outer = self.open[-1][1] if self.open else True
            self.open.append((tag, outer and is_ours))
        if is_ours and "copy" not in (given.get("class") or ""):
            for name in SAID:
                self._note(given.get(name) or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            super().handle_startendtag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][1] and self.open[-1][0] != "script":
            self._note(data)

    def _note(self, text: str) -> None:
        self.found |= set(re.findall(r"[A-Za-z][A-Za-z-]+", text))


def english_in(
    snapshot: StatusSnapshot, query: Mapping[str, str], *names: str, status: int = 200
) -> set[str]:
    """Return the English words of a Korean page but those of the field and given names."""
    given, html = render(snapshot, query, "ko")
    assert given == status
    assert '<html lang="ko">' in html
    return Words(html).found - WORDS_OF_THE_FIELD - set(names)


QUERIES: dict[str, dict[str, str]] = {
    "plain": {},
    "sorted": {"sort": "name", "order": "asc"},
    "failing": {"only": "failing"},
    "reason": {"only": "timeout"},
    "stale": {"only": "stale"},
    "gone": {"only": "gone"},
    "nothing-found": {"q": "\u2014"},
    "second-page": {"page": "2"},
}
ZONE = ("public", "kr")


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("query", QUERIES)
def test_no_scene_has_an_english_word_left(scene: str, query: str) -> None:
    house = many(300) if scene == "many" else SCENES[scene]()
    assert english_in(snapshot_of(house), QUERIES[query], *ZONE) == set()


@pytest.mark.parametrize("image", ["hello/world", "legacy/report", "helo/world", "shop/old"])
def test_nor_has_an_images_own_page(image: str) -> None:
    query = {"registry": "my-registry", "image": image}
    # In the title, where no element can be, and the platforms of tags.
    names = {*re.split(r"\W", image), "my-registry", "linux", "amd", "arm"}
    assert english_in(snapshot_of(outage()), query, *names) == set()
    assert english_in(snapshot_of(outage()), {**query, "q": "\u2014"}, *names) == set()


def test_nor_has_the_page_of_an_image_that_is_none() -> None:
    house = few()
    query = {"registry": "my-registry", "image": "app"}
    assert english_in(snapshot_of(house), query, status=404) == set()
    deleted = {("my-registry", "app"): DeletedImage(target("app"), NOW)}
    assert english_in(snapshot_of(house, deleted=deleted), query, status=404) == set()


def a_message(text: Text) -> str:
    """Return a text of failures with values in its places."""
    numbers = dict.fromkeys(re.findall(r"\{(\w+):", text.en), 3.0)
    words = dict.fromkeys(re.findall(r"\{(\w+)(?:!r)?\}", text.en), "3")
    return text(**words, **numbers)


MESSAGES = {name: text for name, text in vars(failures).items() if isinstance(text, Text)}


@pytest.mark.parametrize("name", MESSAGES)
def test_every_failure_is_told_in_korean(name: str) -> None:
    house = one(Failure("malformed", a_message(MESSAGES[name]), failures.REMEDIES["malformed"]()))
    names = ("JSON", "HTML", "gzip", "content-encoding", "app", "my-registry")
    assert english_in(snapshot_of(house), {}, *names, *ZONE) == set()


@pytest.mark.parametrize("reason", failures.REASONS)
def test_every_reason_and_its_remedy_are_told_in_korean(reason: str) -> None:
    kind = next(kind for kind in errors.ApiError.__subclasses__() if kind.reason == reason)
    page = shown(one(Failure(reason, "HTTP 400", kind.remedy)), language="ko")
    assert failures.REASONS[reason].ko in page.words
    assert failures.REMEDIES[reason].ko in page.words


def test_every_verdict_is_told_in_korean() -> None:
    own = "a" * 64
    manifest = platform(digest=f"sha256:{own}", pulled=NOW_MS - 400 * 86_400_000)
    listing = (
        *tags(9, idle=400.0),
        Tag("signed", f"sha256:{own}", 5, NOW_MS - 500 * 86_400_000, (manifest,)),
        Tag(f"sha256-{own}.sig", "sha256:bb", 5, NOW_MS),
        Tag(f"sha256-{'b' * 64}.att", "sha256:cc", 5, NOW_MS),
        Tag("cache", "sha256:dd", 5, NOW_MS),
        Tag("unknown"),
    )
    house = House()
    house.registry("my-registry", images=1)
    house.polled(target("app", ignore_tags=("cache",), keep_tags=("1.293.*",)), listing)
    query = {"registry": "my-registry", "image": "app"}
    page = shown(house, query, "ko").words
    for verdict in (
        *(
            "장기 미사용",
            "보존: 최근 갱신",
            "보존: 1.293.*",
            "무시: cache",
            "알 수 없음: pull 기록 없음",
        ),
        *("장기 미사용: signed의 서명", "알 수 없음: 목록에 없는 다이제스트의 증명"),
    ):
        assert verdict in page


@pytest.mark.parametrize("query", [{}, {"registry": "my-registry", "image": "legacy/report"}])
def test_a_language_that_was_chosen_stays_in_every_link_and_form(query: dict[str, str]) -> None:
    page = shown(few(), {**query, "lang": "ko"}, "ko")
    links = [link for link in page.values("href") if link.startswith("?")]
    assert len(links) > 5
    assert ["lang=en" in link for link in links].count(True) == 1, "the link to English"
    assert all("lang=ko" in link or "lang=en" in link for link in links)
    assert "./" not in page.values("href")
    assert "lang" in page.values("name")
    assert "ko" in page.values("value")


def test_a_language_of_the_browser_needs_no_parameter() -> None:
    page = shown(few(), {}, "ko")
    assert [link for link in page.values("href") if "lang=" in link] == [
        "?sort=reclaimable&order=desc&lang=en"
    ]
    assert "lang" not in page.values("name")


def test_the_link_to_the_other_language_leads_to_the_same_view() -> None:
    page = shown(many(300), {"sort": "size", "order": "desc", "q": "a", "page": "2"})
    assert "?q=a&sort=size&order=desc&page=2&lang=ko" in page.values("href")
    assert "한국어" in page.words


def test_it_reads_as_korean() -> None:
    words = Page(render(snapshot_of(outage()), {}, "ko")[1]).words
    for sentence in (
        "이미지 6개 중 5개를 조회할 수 없습니다",
        "실패 3개, 없는 이미지 1개, 삭제된 이미지 1개, 조회 전 1개.",
        "이미지 3개 · 원인: 연결 실패",
        "퍼블릭 엔드포인트",
        "5개 중 4개 조회, 목록에 없는 이미지 2개",
        "2025-10-09 07:51 UTC 값",
    ):
        assert sentence in words
