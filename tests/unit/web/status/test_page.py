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
from ncr_exporter.state.model import Failure
from ncr_exporter.web.status.page import StatusSnapshot, render
from tests.support.scenes import DENIED, TIMED_OUT, House, empty, failing, few, many, tags
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
        (("Metrics", "./metrics"), ("Ready", "./-/ready")),
    )
    return replace(whole, **fields)  # type: ignore[arg-type] # fields of StatusSnapshot by name


def shown(house: House, query: Mapping[str, str] | None = None) -> Page:
    status, text = render(snapshot_of(house), query or {})
    assert status == 200
    return Page(text)


IMAGE = {"registry": "my-registry", "image": "app"}


def one(outcome: tuple[Tag, ...] | Failure, *before: tuple[Tag, ...] | Failure) -> House:
    house = House()
    house.registry("my-registry", images=1, public=False)
    house.polled(target("app"), *before, outcome)
    return house


def test_the_totals_come_first() -> None:
    words = shown(many(300)).words
    assert "of 300 images cannot be polled In 3 registries, 1 of which cannot be listed" in words
    totals = words.index("Images 300 Tags 5,")
    assert totals < words.index("What fails, and what to do") < words.index("Registries")


@pytest.mark.parametrize(
    ("house", "headline"),
    [
        (few(), "All 3 images are polled without failures In 1 registry."),
        (one(tags(1)), "The image is polled without failures"),
        (one(DENIED), "1 of 1 image cannot be polled"),
        (failing(), "None of 40 images can be polled"),
        (empty(), "No images yet No image was found in 1 registry: check the names and globs"),
        (House(), "No images yet No registry is known yet."),
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
    assert "No images yet The images are unknown" in words
    for number in range(count):
        house.store.record_list_failure(f"registry-{number}", DENIED)
    words = shown(house).words
    headline = "The registry cannot be" if count == 1 else "None of 3 registries can be"
    assert f"{headline} listed The images are unknown" in words
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
    assert "No image matches taem/* of images; did you mean team/*?" in words
    assert "No image matches */wbe of exclude; did you mean */web?" in words
    house = House()
    house.registry("my-registry", images=0)
    assert "The registry is empty: it has no images." in shown(house).words


def test_a_registry_tells_its_hosts_its_list_and_who_may_pull() -> None:
    words = shown(few()).words
    assert (
        "my-registry OK pulling needs a login public zone, region kr Images 3 of 3 polled" in words
    )
    assert "Public host my-registry.kr.ncr.ntruss.com" in words
    assert "Private host my-registry-private.kr.ncr.ntruss.com" in words
    assert "Last listed 2025-10-09 08:52 UTC" in words


def test_a_list_of_every_registry_says_what_it_stands_for() -> None:
    house = House()
    house.registry("*")
    house.store.record_registry_list_success("*", at=NOW)
    words = shown(house).words
    assert "* OK every registry of the account, public zone, region kr Last listed" in words
    house.registry("found", images=0)
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
    assert "app my-registry Tags 4 Size 640 MB Last pulled 2025-07-01 08:53 UTC" in words
    assert "Unused for 100 days Stale tags 1 Reclaimable 160 MB" in words
    assert "Last poll 2025-10-09 08:51 UTC last 1 poll, oldest first: OK" in words
    assert "1.297.0 stale 80.0 MB never 2025-06-27 08:53 UTC 104 days" in words
    assert "Next poll: 2025-10-09 09:06 UTC, every 15m; 1 poll so far, 0 failed" in words


def test_the_last_polls_tell_each_failure_in_words_with_its_remedy() -> None:
    house = one(DENIED, tags(1), DENIED, TIMED_OUT, TIMED_OUT)
    words = shown(house, IMAGE).words
    newest = f"took 30 s failed permission {DENIED.message} Remedy {DENIED.remedy}"
    assert f"2025-10-09 08:51 UTC {newest}" in words
    assert words.count(f"Remedy {DENIED.remedy}") == 2
    assert words.count(f"timeout {TIMED_OUT.message}") == 1
    assert "failed for the same reason" in words
    assert "values as of 2025-10-09 07:51 UTC" in words


def test_an_image_that_is_polled_now_says_so() -> None:
    _, text = render(snapshot_of(one(tags(1)), next_poll=lambda _: None), IMAGE)
    assert "Next poll: in progress" in Page(text).words


def test_an_image_that_is_gone_says_so() -> None:
    house = one(tags(1))
    for _ in range(2):
        exhaust(house.store.record_image_list("my-registry", {}, at=NOW))
    assert (
        "app gone In registry my-registry; the registry no longer has it"
        in shown(house, IMAGE).words
    )
    assert "1 of 1 image cannot be polled" in shown(house).words


def test_an_image_of_its_own_lists_every_tag_by_pages() -> None:
    house = one(tags(450, idle=400.0))
    page = shown(house, {**IMAGE, "page": "3"})
    assert "401 to 450 of 450 tags" in page.words
    assert sum(tag == "tr" for tag, _ in page.elements) == 51
    assert "A tag is stale when it has been unused for more than 90d" in page.words
    assert "except the 3 tags updated last and tags named latest." in page.words
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
    house.registry(registry)
    listing = (Tag(tag, tag, 5, None, (platform(variant=said),)),)
    house.polled(target(image, registry, keep_tags=(tag,)), listing, Failure("server", said, said))
    house.store.record_list_failure(registry, Failure("server", said, said))
    return snapshot_of(house, links=((said, f"./{said}"),))


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
        ({"registry": registry, "image": image}, {"registry": "r", "image": "i"}),
    ):
        page, expected = Page(render(hostile, query)[1]), Page(render(harmless, plain)[1])
        assert page.elements == expected.elements
        assert tag in page.text
        assert said in page.text
        assert image in page.text
