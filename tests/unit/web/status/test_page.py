"""The page's text, as a browser takes it apart."""

from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ncr_exporter import __version__
from ncr_exporter.inventory import Tag
from ncr_exporter.ncr.pages import ListedImage
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.state.model import DeletedImage, Failure
from ncr_exporter.texts.page import LINKS
from ncr_exporter.texts.text import Language, Text
from ncr_exporter.web.status.page import StatusSnapshot, render
from tests.support.scenes import (
    DENIED,
    TIMED_OUT,
    House,
    empty,
    failing,
    few,
    first_round,
    many,
    outage,
    registries,
    tags,
)
from tests.support.states import NOW, platform, registry_target, rule, target

HOSTILE = "<script>alert('&amp;\"{{ 7*7 }}{0}%s')</script>"


class Page(HTMLParser):
    """Elements with the names of their attributes in order, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += attrs
        if tag in {"dd", "td", "th", "span"}:  # apart on the screen
            self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value or "" for key, value in self.attributes if key == name]

    @property
    def words(self) -> str:
        """The text with single spaces, as it is seen."""
        return " ".join(self.text.split()).replace(" ,", ",")


def snapshot_of(house: House, **fields: object) -> StatusSnapshot:
    whole = StatusSnapshot(
        tuple(house.store.images.values()),
        tuple(house.store.registries.values()),
        lambda _: NOW + 780,
        ((LINKS["metrics"], "./metrics"), (LINKS["ready"], "./-/ready")),
        now=NOW,
    )
    return replace(whole, **fields)  # type: ignore[arg-type] # fields of StatusSnapshot by name


def shown(house: House, query: Mapping[str, str] | None = None, language: Language = "en") -> Page:
    status, text = render(snapshot_of(house), query or {}, language)
    assert status == 200
    return Page(text)


AS_OF = "Page updated 2025-10-09 08:53 UTC"
IMAGE = {"registry": "my-registry", "image": "app"}


def one(outcome: tuple[Tag, ...] | Failure, *before: tuple[Tag, ...] | Failure) -> House:
    house = House()
    house.registry("my-registry", images=1, public=False)
    house.polled(target("app"), *before, outcome)
    return house


def unmatched() -> House:
    """Return a registry with images, of which the configuration chooses none."""
    house = House()
    house.registry("my-registry", images=5)
    return house


def test_an_empty_registry_is_said_to_be_empty_and_what_is_known_of_it_is_0() -> None:
    words = shown(empty()).words
    assert "Images 0 Tags 0 Size 0 B Stale tags 0 Reclaimable 0 B" in words
    assert "Images none: the registry is empty" in words
    assert "Images 0 of 5 polled" in shown(unmatched()).words


def test_the_totals_come_first() -> None:
    words = shown(many(300)).words
    assert "3 of 300 images cannot be polled Page updated" in words
    assert "3 failing, 2 not polled yet. In 3 registries. 1 of 3 registries cannot be" in words
    totals = words.index("Images 300 Tags 5,")
    assert totals < words.index("What fails, and what to do") < words.index("Registries")


@pytest.mark.parametrize(
    ("house", "headline"),
    [
        (few(), f"All 3 images are polled without failures {AS_OF} · In 1 registry."),
        (one(tags(1)), "The image is polled without failures"),
        (one(DENIED), "1 of 1 image cannot be polled"),
        (failing(), "None of 40 images can be polled"),
        (empty(), f"No images yet {AS_OF} · 1 registry is empty: no image is in its list."),
        (unmatched(), f"No images yet {AS_OF} · No image was found in 1 registry: check the names"),
        (House(), f"No images yet {AS_OF} · No registry is known yet."),
        (
            outage(),
            f"5 of 6 images cannot be polled {AS_OF} · 3 failing, 1 missing, 1 gone, 1 not polled",
        ),
    ],
)
def test_the_headline_says_how_it_goes(house: House, headline: str) -> None:
    assert headline in shown(house).words


def test_before_the_first_polls_it_says_so() -> None:
    house = House()
    house.registry("my-registry")
    house.store.add(target("app"))
    words = shown(house).words
    assert "1 image waiting for the first poll" in words
    assert "not listed yet" in words
    assert "Tags \u2013 Size \u2013" in words


@pytest.mark.parametrize("count", [1, 3])
def test_where_no_list_succeeded_nothing_is_called_0(count: int) -> None:
    house = House()
    for number in range(count):
        house.registry(f"registry-{number}")
    words = shown(house).words
    assert f"No images yet {AS_OF} · The images are unknown" in words
    for number in range(count):
        house.store.record_list_failure(f"registry-{number}", DENIED)
    words = shown(house).words
    headline = "The registry cannot be" if count == 1 else "None of 3 registries can be"
    assert f"{headline} listed {AS_OF} · The images are unknown" in words
    assert "Images \u2013 Tags \u2013 Size \u2013 Stale tags \u2013 Reclaimable \u2013" in words


def test_a_list_that_fails_is_news_even_where_images_do_not() -> None:
    house = one(tags(1))
    house.store.record_list_failure("my-registry", TIMED_OUT)
    words = shown(house).words
    assert "The registry cannot be listed" in words
    assert f"timeout {TIMED_OUT.message} Remedy {TIMED_OUT.remedy}" in words


def test_a_registry_names_patterns_that_match_nothing_and_says_if_it_is_empty() -> None:
    house = few()
    images = {name: ListedImage(name) for name in ("app", "team/web")}
    wanted = registry_target(exclude=("*/wbe",), rules=(rule("taem/*"),))
    house.store.retarget_registry(wanted)
    exhaust(house.store.record_image_list("my-registry", images, at=NOW))
    words = shown(house).words
    assert "Globs that match no image taem/* (did you mean team/*?)" in words
    assert "Excludes that match no image */wbe (did you mean */web?)" in words
    house = House()
    house.registry("my-registry", images=0)
    assert "none: the registry is empty" in shown(house).words


def test_a_registry_tells_its_hosts_its_list_and_who_may_pull() -> None:
    words = shown(few()).words
    assert (
        "my-registry OK pulling needs a login public zone, region kr Images 3 of 3 polled" in words
    )
    assert "Public endpoint my-registry.kr.ncr.ntruss.com" in words
    assert "Private endpoint my-registry-private.kr.ncr.ntruss.com" in words
    assert "Last listed 2025-10-09 08:52 UTC" in words


def test_a_list_of_every_registry_says_what_it_stands_for() -> None:
    house = House()
    house.registry("*")
    house.store.record_registry_list_success("*", at=NOW)
    words = shown(house).words
    assert "* OK every registry of the account, public zone, region kr Last listed" in words
    house.registry("found", images=2)
    assert "No image was found in 1 registry" in shown(house).words


def test_many_registries_are_folded_away_and_those_in_trouble_come_first() -> None:
    house = House()
    for number in range(9):
        house.registry(f"registry-{number}", images=0)
    house.store.record_list_failure("registry-8", DENIED)
    words = shown(house).words
    positions = [words.index(f"registry-{number} ") for number in (8, 0, 4)]
    assert positions == sorted(positions)
    assert positions[-1] < words.index("3 more registry-5") < words.index("registry-7 ")


def test_an_image_tells_all_there_is_to_know() -> None:
    words = shown(one(tags(4, idle=100.0))).words
    assert "app my-registry Tags 4 Size 640 MB Pulled 2025-07-01 08:53 UTC" in words
    assert "Unused 100 days Stale 1 Reclaimable 160 MB" in words
    assert "Polled 2025-10-09 08:51 UTC last 1 poll, oldest first: OK" in words
    assert "1.297.0 stale 80.0 MB never 2025-06-27 08:53 UTC 104 days" in words
    assert "Next poll: 2025-10-09 09:06 UTC, every 15 minutes; 1 poll so far, 0 failed" in words


def test_the_last_polls_tell_each_failure_in_words_with_its_remedy() -> None:
    house = one(DENIED, tags(1), DENIED, TIMED_OUT, TIMED_OUT)
    words = shown(house, IMAGE).words
    newest = f"took 30 s failed permission {DENIED.message} Remedy {DENIED.remedy}"
    assert f"2025-10-09 08:51 UTC {newest}" in words
    assert words.count(f"Remedy {DENIED.remedy}") == 2
    assert words.count(f"timeout {TIMED_OUT.message}") == 1
    assert "failed for the same reason" in words
    assert "Values from 2025-10-09 07:51 UTC." in words
    row = shown(house).words
    assert "failing permission · values from 2025-10-09 07:51 UTC" in row


def test_an_image_that_is_polled_now_says_so() -> None:
    _, text = render(snapshot_of(one(tags(1)), next_poll=lambda _: None), IMAGE)
    assert "Next poll: in progress" in Page(text).words


def test_an_image_that_is_gone_says_so() -> None:
    house = one(tags(1))
    for _ in range(2):
        exhaust(house.store.record_image_list("my-registry", {}, at=NOW))
    words = shown(house, IMAGE).words
    assert f"app gone {AS_OF} · In registry my-registry." in words
    assert "gone The registry had it, and has it no longer. Remedy take it out" in words
    assert "1 of 1 image cannot be polled" in shown(house).words


def test_an_image_that_never_was_says_so() -> None:
    words = shown(outage(), {"registry": "my-registry", "image": "helo/world"}).words
    assert "helo/world missing" in words
    assert "The configuration names it, and the registry has no such image." in words


def test_an_image_of_a_glob_that_was_deleted_is_remembered_by_its_page() -> None:
    house = one(tags(1))
    house.store.mark_deleted(DeletedImage(target("app"), NOW - 3600))
    snapshot = snapshot_of(house, deleted=house.store.deleted)
    status, text = render(snapshot, IMAGE)
    words = Page(text).words
    assert (status, "The image is gone" in words) == (404, True)
    assert "“app” was in registry “my-registry”, which has it no longer. Known since" in words
    assert "2025-10-09 07:53 UTC" in words


def test_what_can_be_pulled_stands_to_be_copied() -> None:
    reference = "my-registry.kr.ncr.ntruss.com/hello/world:latest"
    page = shown(few())
    assert f"Newest tag {reference}" in page.words
    assert reference in page.values("data-copy")
    page = shown(few(), {"registry": "my-registry", "image": "hello/world"})
    assert f"Newest tag {reference}" in page.words
    assert reference.replace("latest", "1.298.0") in page.values("data-copy")


def test_a_sum_of_some_images_says_of_how_many() -> None:
    assert "Sums of the 1 image whose tags are known." in shown(first_round()).words
    assert "Sums of" not in shown(few()).words


def test_patterns_that_match_nothing_are_named() -> None:
    words = shown(registries()).words
    assert "Globs that match no image shpo/*" in words
    assert "Excludes that match no image */cahce" in words


def test_the_page_says_its_moment_to_the_minute() -> None:
    moments = [
        render(snapshot_of(few(), now=NOW + seconds), {})[1] for seconds in (0.0, 39.0, 40.0)
    ]
    assert moments[0] == moments[1] != moments[2]
    assert "Page updated 2025-10-09 08:54 UTC" in Page(moments[2]).words


def test_an_image_of_its_own_lists_every_tag_by_pages() -> None:
    house = one(tags(450, idle=400.0))
    page = shown(house, {**IMAGE, "page": "3"})
    assert "401 to 450 of 450 tags" in page.words
    assert sum(tag == "tr" for tag, _ in page.elements) == 51
    assert "A tag is stale when it has been unused for more than 90 days." in page.words
    assert "Never stale: the 3 tags updated last, tags named latest." in page.words
    assert "450 of" not in shown(house, {**IMAGE, "q": "1.299"}).words
    assert "1 found" in shown(house, {**IMAGE, "q": "1.299"}).words
    assert "No tag matches \u201cnothing\u201d" in shown(house, {**IMAGE, "q": "nothing"}).words


def test_an_image_without_tags_and_one_that_was_never_listed() -> None:
    assert "This image has no tags." in shown(one(()), IMAGE).words
    assert "The tags of this image are unknown." in shown(one(DENIED), IMAGE).words


def test_no_such_image_is_404() -> None:
    status, text = render(snapshot_of(few()), {"image": HOSTILE, "registry": "my-registry"})
    assert status == 404
    assert (
        f"\u201c{HOSTILE}\u201d is not polled in registry \u201cmy-registry\u201d"
        in Page(text).text
    )


def test_what_is_not_found_says_so_and_leads_back() -> None:
    page = shown(few(), {"q": HOSTILE})
    assert f"No image matches \u201c{HOSTILE}\u201d" in page.text
    assert HOSTILE in page.values("value")


def test_a_page_holds_a_hundred_images_and_links_to_the_next() -> None:
    page = shown(many(300), {"sort": "size", "order": "desc", "page": "2"})
    assert sum(tag == "details" for tag, _ in page.elements) == 100
    assert "101 to 200 of 300 images" in page.words
    assert "?sort=size&order=desc&page=3" in page.values("href")
    assert "?sort=size&order=desc" in page.values("href")


def test_it_leads_to_what_it_is_told_and_says_its_version() -> None:
    page = shown(empty())
    assert [link for link in page.values("href") if link.startswith("./")][-2:] == [
        *("./metrics", "./-/ready"),
    ]
    assert __version__ in page.words


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline() -> None:
    page = shown(many(300))
    assert all(value.startswith("./static/") for value in page.values("src"))
    assert not [link for link in page.values("href") if not link.startswith(("./", "?", "#"))]
    assert not {"style"} & {tag for tag, _ in page.elements}
    assert page.values("style") == []
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def named(registry: str, image: str, tag: str, said: str) -> StatusSnapshot:
    """Return an image that says all this wherever a text can stand."""
    house = House()
    house.registry(registry, images=1)
    listing = (Tag(tag, tag, 5, None, (platform(variant=said),)),)
    house.polled(target(image, registry, keep_tags=(tag,)), listing, Failure("server", said, said))
    house.store.record_list_failure(registry, Failure("server", said, said))
    return snapshot_of(house, links=((Text(said, said), f"./{said}"),))


text = st.text(st.characters(codec="utf-8"), min_size=1)


@given(text, text, text, text)
@example(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@example("\x00\r\n\u2028\u202e", "a b", "\ufeff", "]]>-->'\"")
def test_no_text_can_become_anything_but_text(
    registry: str, image: str, tag: str, said: str
) -> None:
    hostile, harmless = named(registry, image, tag, said), named("r", "i", "t", "s")
    for query, plain in (
        ({}, {}),
        ({"lang": "ko"}, {"lang": "ko"}),
        ({"registry": registry, "image": image}, {"registry": "r", "image": "i"}),
    ):
        language: Language = "ko" if "lang" in query else "en"
        page = Page(render(hostile, query, language)[1])
        expected = Page(render(harmless, plain, language)[1])
        assert page.elements == expected.elements
        assert tag in page.text
        assert said in page.text
        assert image in page.text
