"""The page at `/`."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from ncr_exporter import __version__
from ncr_exporter.states import Failure, ImageState
from ncr_exporter.web.index import index_page
from tests.states import NOW, recorder, sample_tags, target


class Page(HTMLParser):
    """The page as a browser understands it: elements, and the text of each cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.links: list[str | None] = []
        self.cells: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.links += [value for name, value in attrs if name == "href"]
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.cells:
            self.cells[-1] += data.strip()


def polled(name: str = "app", registry: str = "my-registry", **fields: Any) -> ImageState:
    """Return the state of an image that was polled, but for the fields given."""
    store, _ = recorder()
    image = target(name, registry)
    store.add(image)
    store.succeeded(image, sample_tags(), at=NOW, duration=0.5)
    return replace(store.images[image.key], **fields)


def test_each_image_has_a_row_with_its_tags_and_how_its_last_poll_went() -> None:
    failure = Failure("timeout", "no answer within 30 s", "check the network")
    waiting = ImageState(target("waiting"))
    states = [polled(), waiting, polled("web", up=False, failure=failure)]
    assert Page(index_page(states, "/metrics")).cells == [
        *("my-registry", "app", "3", "succeeded"),
        *("my-registry", "waiting", "", "not yet"),
        *("my-registry", "web", "3", "failed: no answer within 30 s; check the network"),
    ]


def test_names_and_messages_are_text_whatever_they_hold() -> None:
    hostile = "<script>alert('&amp;\"{0}%s')</script>"
    failure = Failure("server", hostile, hostile)
    states = [polled(hostile, hostile, up=False, failure=failure)]
    page = Page(index_page(states, f"/{hostile}"))
    assert "script" not in page.elements
    assert page.cells == [hostile, hostile, "3", f"failed: {hostile}; {hostile}"]
    assert page.links[0] == f"/{hostile}"


def test_the_page_leads_to_the_rest_and_says_its_version() -> None:
    page = Page(index_page([], "/elsewhere"))
    assert page.links == ["/elsewhere", "/-/ready", "/-/healthy"]
    assert __version__ in page.text
    assert page.cells == []


def test_the_page_loads_nothing() -> None:
    page = Page(index_page([polled()], "/metrics"))
    assert not {"script", "link", "img", "iframe"} & set(page.elements)
