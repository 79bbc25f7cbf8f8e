"""Paths and queries of the list operations, in each version of the API: written and parsed.

Sources: the vendor's pages "Registry list", "Image list" and "Image tag list" of versions 2 and 3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, get_args
from urllib.parse import quote, unquote

Operation = Literal["registry_list", "image_list", "tag_list"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

_NUMBER = r"\d{1,15}"


@dataclass(frozen=True, eq=False)
class PathStyle:
    """How a version of the API writes the path of a list, and the query of a page."""

    version: str
    registries: str
    """What the path of the list of registries ends with; a registry's name follows it."""
    images: str
    """What follows the name of a registry in the path of its images."""
    page: str
    """The query's parameter for the number of a page."""
    page_size: str
    """The query's parameter for the records to return per page."""
    first_page: int
    """The number of a list's first page."""
    sort: str = ""
    """The query's parameter for the order of the records; empty if there is none."""
    orders: Mapping[Operation, str] = field(default_factory=dict)
    """The order to ask for, where the vendor documents it."""
    optional: frozenset[str] = frozenset()
    """Parameters that are left out once the API refuses them."""

    def query(self, operation: Operation, number: int, size: int, without: frozenset[str]) -> str:
        """Return the query of a page, without the parameters in `without`."""
        parameters = {self.page: str(number), self.page_size: str(size)}
        if order := self.orders.get(operation):
            parameters[self.sort] = order
        return "&".join(f"{key}={value}" for key, value in parameters.items() if key not in without)

    @cached_property
    def path_pattern(self) -> re.Pattern[str]:
        """The path of any list."""
        registry, image = r"(?P<registry>[^/]+)", r"(?P<image>[^/]+)"
        images = f"(?:/{registry}{self.images}(?:/{image}/tags)?)?"
        return re.compile(f"(?P<prefix>.*?){self.registries}{images}")

    @cached_property
    def query_pattern(self) -> re.Pattern[str]:
        """The query of any page."""
        size = f"&{self.page_size}=(?P<size>{_NUMBER})"
        if self.page_size in self.optional:
            size = f"(?:{size})?"
        order = f"(?:&{self.sort}=[A-Za-z]+,[a-z]+)?" if self.sort else ""
        return re.compile(f"{self.page}=(?P<page>{_NUMBER}){size}{order}", re.ASCII)


V2_PATHS = PathStyle(
    version="v2",
    registries="/repositories",
    images="",
    page="page",
    page_size="pagesize",
    first_page=1,
)
V3_PATHS = PathStyle(
    version="v3",
    registries="/registries",
    images="/images",
    page="pageNo",
    page_size="pageSize",
    first_page=0,
    sort="sort",
    orders={"tag_list": "name,asc"},
    optional=frozenset({"pageSize", "sort"}),
)
STYLES = (V2_PATHS, V3_PATHS)


@dataclass(frozen=True)
class ListPath:
    """The path of one list: of all registries, of a registry's images, or of an image's tags."""

    prefix: str
    """The region's path prefix, such as `/ncr/api/v2`."""
    registry: str | None = None
    """The registry's name; None for the list of registries."""
    image: str | None = None
    """The image's name; None for a list of images or registries."""
    style: PathStyle = V2_PATHS
    """How the version of the API writes it."""

    @property
    def operation(self) -> Operation:
        """The operation at this path."""
        if self.registry is None:
            return "registry_list"
        return "image_list" if self.image is None else "tag_list"

    def __str__(self) -> str:
        """Return the path, with each name percent-encoded once: `a/b` becomes `a%2Fb`."""
        path = f"{self.prefix}{self.style.registries}"
        if self.registry is not None:
            path += f"/{quote(self.registry, safe='')}{self.style.images}"
        if self.image is not None:
            path += f"/{quote(self.image, safe='')}/tags"
        return path

    def page(self, number: int, size: int, without: frozenset[str] = frozenset()) -> str:
        """Return path and query of one page, exactly as they are signed and sent.

        Args:
            number: the page's number, from the style's `first_page`.
            size: records to ask for per page.
            without: parameters to leave out of the query.
        """
        return f"{self}?{self.style.query(self.operation, number, size, without)}"


@dataclass(frozen=True)
class RegistryPath:
    """A registry, with all that its paths need, whatever the version of the API."""

    label: str
    """Its label value in metrics and logs."""
    name: str
    region: str


class PageTarget(NamedTuple):
    """The target of a request: one page of a list."""

    list: ListPath
    number: int
    """The page's number, from the `first_page` of the list's style."""
    size: int | None
    """Records to return per page; None if the query does not say."""
    query: str
    """The query as sent; it holds no names."""

    @property
    def is_first(self) -> bool:
        """Whether this is the first page of the list."""
        return self.number == self.list.style.first_page


def parse_path(path: str, style: PathStyle = V2_PATHS) -> ListPath | None:
    """Return the list at a path, or None if there is none: the inverse of `str(ListPath)`."""
    match = style.path_pattern.fullmatch(path)
    if match is None:
        return None
    registry, image = (name and unquote(name) for name in match.group("registry", "image"))
    return ListPath(match["prefix"], registry, image, style)


def parse(target: str) -> PageTarget | None:
    """Return the page that path and query stand for, or None: the inverse of `ListPath.page`."""
    path, _, query = target.partition("?")
    for style in STYLES:
        if match := style.query_pattern.fullmatch(query):
            found = parse_path(path, style)
            size = match["size"]
            if found is None:
                return None
            return PageTarget(found, int(match["page"]), int(size) if size else None, query)
    return None
