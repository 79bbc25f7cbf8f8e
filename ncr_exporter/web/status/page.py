"""The HTML of the status page, rendered by templates that escape every value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from math import inf
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ncr_exporter import __version__
from ncr_exporter.report.verdicts import verdict_text
from ncr_exporter.state.model import DeletedImage, ImageState, RegistryState
from ncr_exporter.targets.targets import ImageKey
from ncr_exporter.texts.page import PAGE
from ncr_exporter.texts.text import LANGUAGES, Language, Text
from ncr_exporter.web.status import images, tags, words
from ncr_exporter.web.status.images import DEFAULT_SORT, ImageView
from ncr_exporter.web.status.query import LONGEST_TEXT, Query, link, paginated, parse_query
from ncr_exporter.web.status.totals import registry_views, totals_of

IMAGES_PER_PAGE = 100
TAGS_PER_PAGE = 200
REGISTRIES_SHOWN = 6
"""Further ones are folded away, so that the images stay on the first screen."""
_MINUTE = 60
"""The page says its moment to the minute: within one it stays the same, and cached."""
_TEMPLATES = Path(__file__).parent / "templates"

Link = tuple[Text, str]
"""The text and the URL of a link."""


@dataclass(frozen=True)
class StatusSnapshot:
    """The data of the page at one moment."""

    images: Sequence[ImageState]
    registries: Sequence[RegistryState]
    next_poll: Callable[[ImageKey], float | None]
    """When an image is polled next (s since the epoch); None while it is polled."""
    links: Sequence[Link] = ()
    now: float = 0.0
    """The moment, in seconds since the epoch."""
    deleted: Mapping[ImageKey, DeletedImage] = field(default_factory=dict)
    """Images found by globs that are known to be deleted."""


def render(
    snapshot: StatusSnapshot, parameters: Mapping[str, str], language: Language = "en"
) -> tuple[int, str]:
    """Return the HTTP status and the HTML of the list of images, or of one image's page.

    Args:
        snapshot: the data to show.
        parameters: the parameters of the request; `image` and `registry` select one image.
        language: the language of the page.
    """
    if "image" in parameters:
        return _image_page(snapshot, parameters, language)
    query = parse_query(parameters, images.COLUMNS, default=DEFAULT_SORT)
    return 200, _index_page(snapshot, query, language)


def _index_page(snapshot: StatusSnapshot, query: Query, language: Language) -> str:
    page = paginated(images.matching_images(snapshot.images, query), query.page, IMAGES_PER_PAGE)
    totals = totals_of(snapshot.images)
    registries = registry_views(snapshot.registries, totals)
    hosts = {registry.state.target.label: registry.host for registry in registries}
    return _text(
        "index.html",
        snapshot,
        language,
        query=query,
        columns=images.COLUMNS,
        totals=totals,
        registries=registries,
        registries_shown=REGISTRIES_SHOWN,
        rows=[_row(snapshot, state, hosts, query) for state in page.rows],
        page=page,
    )


def _image_page(
    snapshot: StatusSnapshot, parameters: Mapping[str, str], language: Language
) -> tuple[int, str]:
    key = (parameters.get("registry", ""), parameters["image"])
    query = parse_query(parameters, tags.COLUMNS, (("registry", key[0]), ("image", key[1])))
    state = next((state for state in snapshot.images if state.target.key == key), None)
    if state is None:
        deleted = snapshot.deleted.get(key)
        page = _text("missing.html", snapshot, language, query=query, key=key, deleted=deleted)
        return 404, page
    siblings = [image for image in snapshot.images if image.target.key[0] == key[0]]
    registries = [each for each in snapshot.registries if each.target.label == key[0]]
    views = registry_views(registries, totals_of(siblings))
    hosts = {view.state.target.label: view.host for view in views}
    row = _row(snapshot, state, hosts, query)
    text = _text(
        "image.html",
        snapshot,
        language,
        query=query,
        columns=tags.COLUMNS,
        row=row,
        listed=len(row.all_tags),
        page=paginated(tags.matching_tags(row.all_tags, query), query.page, TAGS_PER_PAGE),
    )
    return 200, text


def _row(
    snapshot: StatusSnapshot, state: ImageState, hosts: Mapping[str, str | None], query: Query
) -> ImageView:
    key = state.target.key
    return ImageView(state, snapshot.next_poll(key), hosts.get(key[0]), query.chosen_language)


def _text(
    template: str, snapshot: StatusSnapshot, language: Language, *, query: Query, **context: object
) -> str:
    links = [(text.pattern(language), path) for text, path in snapshot.links]
    common = {
        "version": __version__,
        "links": links,
        "now": snapshot.now // _MINUTE * _MINUTE,
        "home": link(*query.chosen_language),
        "languages": _language_links(query, language),
        "query": query,
    }
    return _environment(language).get_template(template).render({**common, **context})


def _language_links(query: Query, language: Language) -> list[tuple[Language, str, str]]:
    """Return each other language with its own name, and the link to the same page in it."""
    return [
        (other, PAGE["own_name"].pattern(other), query.href(language=other, page=query.page))
        for other in LANGUAGES
        if other != language
    ]


@cache
def _environment(language: Language) -> Environment:
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
        "moment": words.moment,
        "moment_ms": words.moment_ms,
        "span": partial(words.span_text, language=language),
        "exact": partial(words.exact_text, language=language),
        "took": partial(words.took_text, language=language),
        "share": partial(words.share_text, language=language),
        "message": partial(words.message_element, language=language),
        "reason": partial(words.reason_text, language=language),
        "verdict": partial(verdict_text, language=language),
    }
    environment.globals |= {
        "t": words.phrases(language),
        "language": language,
        "infinite": inf,
        "longest_text": LONGEST_TEXT,
        "unknown": words.UNKNOWN,
    }
    return environment
