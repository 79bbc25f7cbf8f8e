"""The page's text: what is known, through templates that escape by themselves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ncr_exporter import __version__
from ncr_exporter.config.units import duration_text
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.targets.targets import ImageKey
from ncr_exporter.web.status import images, tags, words
from ncr_exporter.web.status.images import ImageRow
from ncr_exporter.web.status.totals import in_trouble_first, totals_of
from ncr_exporter.web.status.view import View, cut, view_of

IMAGES_PER_PAGE = 100
TAGS_PER_PAGE = 200
REGISTRIES_SHOWN = 6
"""More are folded away, or they would push the images off the screen."""
_TEMPLATES = Path(__file__).parent / "templates"

Link = tuple[str, str]
"""The words of a link, and where it leads."""


@dataclass(frozen=True)
class Snapshot:
    """Everything that the page tells, as of one moment."""

    images: Sequence[ImageState]
    registries: Sequence[RegistryState]
    next_poll: Callable[[ImageKey], float | None]
    links: Sequence[Link] = ()


def render(snapshot: Snapshot, query: Mapping[str, str]) -> tuple[int, str]:
    """Return the status and text of what a query asks for: all images, or one with its tags."""
    if "image" in query:
        return _image_page(snapshot, query)
    return 200, _index_page(snapshot, view_of(query, images.COLUMNS))


def _index_page(snapshot: Snapshot, view: View) -> str:
    shown = cut(images.chosen(snapshot.images, view), view.page, IMAGES_PER_PAGE)
    return _text(
        "index.html",
        snapshot,
        view=view,
        columns=images.COLUMNS,
        totals=totals_of(snapshot.images),
        registries=in_trouble_first(snapshot.registries),
        registries_shown=REGISTRIES_SHOWN,
        rows=[_row(snapshot, state) for state in shown.rows],
        cut=shown,
    )


def _image_page(snapshot: Snapshot, query: Mapping[str, str]) -> tuple[int, str]:
    key = (query.get("registry", ""), query["image"])
    state = next((state for state in snapshot.images if state.target.key == key), None)
    if state is None:
        return 404, _text("missing.html", snapshot, key=key)
    view = view_of(query, tags.COLUMNS, (("registry", key[0]), ("image", key[1])))
    rows = tags.tag_rows(state)
    text = _text(
        "image.html",
        snapshot,
        view=view,
        columns=tags.COLUMNS,
        row=_row(snapshot, state),
        listed=len(rows),
        cut=cut(tags.chosen(rows, view), view.page, TAGS_PER_PAGE),
    )
    return 200, text


def _row(snapshot: Snapshot, state: ImageState) -> ImageRow:
    return ImageRow(state, snapshot.next_poll(state.target.key))


def _text(template: str, snapshot: Snapshot, **shown: object) -> str:
    common = {"version": __version__, "links": snapshot.links}
    return _environment().get_template(template).render({**common, **shown})


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FileSystemLoader(_TEMPLATES),
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": words.count_text,
        "size": words.size_text,
        "span": words.span_text,
        "exact": duration_text,
        "took": words.took_text,
        "share": words.share_text,
        "moment": words.moment_text,
        "machine": words.machine_text,
        "counted": words.counted,
    }
    environment.globals |= {"infinite": inf, "unknown": words.UNKNOWN}
    return environment
