"""The HTML of the status page, rendered by templates that escape every value."""

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
from ncr_exporter.web.status.images import ImageView
from ncr_exporter.web.status.query import LONGEST_TEXT, Query, paginated, parse_query
from ncr_exporter.web.status.totals import failing_first, totals_of

IMAGES_PER_PAGE = 100
TAGS_PER_PAGE = 200
REGISTRIES_SHOWN = 6
"""Further ones are folded away, so that the images stay on the first screen."""
_TEMPLATES = Path(__file__).parent / "templates"

Link = tuple[str, str]
"""The text and the URL of a link."""


@dataclass(frozen=True)
class StatusSnapshot:
    """The data of the page at one moment."""

    images: Sequence[ImageState]
    registries: Sequence[RegistryState]
    next_poll: Callable[[ImageKey], float | None]
    """When an image is polled next (s since the epoch); None while it is polled."""
    links: Sequence[Link] = ()


def render(snapshot: StatusSnapshot, parameters: Mapping[str, str]) -> tuple[int, str]:
    """Return the HTTP status and the HTML of the list of images, or of one image's page.

    Args:
        snapshot: the data to show.
        parameters: the parameters of the request; `image` and `registry` select one image.
    """
    if "image" in parameters:
        return _image_page(snapshot, parameters)
    return 200, _index_page(snapshot, parse_query(parameters, images.COLUMNS))


def _index_page(snapshot: StatusSnapshot, query: Query) -> str:
    page = paginated(images.matching_images(snapshot.images, query), query.page, IMAGES_PER_PAGE)
    return _text(
        "index.html",
        snapshot,
        query=query,
        columns=images.COLUMNS,
        totals=totals_of(snapshot.images),
        registries=failing_first(snapshot.registries),
        registries_shown=REGISTRIES_SHOWN,
        rows=[_row(snapshot, state) for state in page.rows],
        page=page,
    )


def _image_page(snapshot: StatusSnapshot, parameters: Mapping[str, str]) -> tuple[int, str]:
    key = (parameters.get("registry", ""), parameters["image"])
    state = next((state for state in snapshot.images if state.target.key == key), None)
    if state is None:
        return 404, _text("missing.html", snapshot, key=key)
    query = parse_query(parameters, tags.COLUMNS, (("registry", key[0]), ("image", key[1])))
    rows = tags.tag_views(state)
    text = _text(
        "image.html",
        snapshot,
        query=query,
        columns=tags.COLUMNS,
        row=_row(snapshot, state),
        listed=len(rows),
        page=paginated(tags.matching_tags(rows, query), query.page, TAGS_PER_PAGE),
    )
    return 200, text


def _row(snapshot: StatusSnapshot, state: ImageState) -> ImageView:
    return ImageView(state, snapshot.next_poll(state.target.key))


def _text(template: str, snapshot: StatusSnapshot, **context: object) -> str:
    common = {"version": __version__, "links": snapshot.links}
    return _environment().get_template(template).render({**common, **context})


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
        "size": words.bytes_text,
        "span": words.span_text,
        "exact": duration_text,
        "took": words.took_text,
        "share": words.share_text,
        "moment": words.moment_text,
        "machine": words.machine_text,
        "counted": words.counted,
    }
    environment.globals |= {
        "infinite": inf,
        "longest_text": LONGEST_TEXT,
        "unknown": words.UNKNOWN,
    }
    return environment
