"""Paths and queries of the list operations: written and parsed.

Source: the vendor's pages of version 2, "Registry list", "Image list" and "Image tag list".
"""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args
from urllib.parse import quote, unquote

Operation = Literal["registry_list", "image_list", "tag_list"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

PAGE = "page"
PAGE_SIZE = "pagesize"
"""The query's parameters. Both must be above 0, so pages are numbered from 1."""

_REGISTRIES = "/repositories"
_TAGS = "/tags"
_PATH = re.compile(
    rf"(?P<prefix>.*?){_REGISTRIES}(?:/(?P<registry>[^/]+)(?:/(?P<image>[^/]+){_TAGS})?)?"
)
_TARGET = re.compile(
    rf"(?P<path>[^?]*)\?{PAGE}=(?P<page>\d{{1,15}})&{PAGE_SIZE}=(?P<size>\d{{1,15}})", re.ASCII
)


@dataclass(frozen=True)
class ListPath:
    """The path of one list: of all registries, of a registry's images, or of an image's tags."""

    prefix: str
    """The region's path prefix, such as `/ncr/api/v2`."""
    registry: str | None = None
    """The registry's name; None for the list of registries."""
    image: str | None = None
    """The image's name; None for a list of images or registries."""

    @property
    def operation(self) -> Operation:
        """The operation at this path."""
        if self.registry is None:
            return "registry_list"
        return "image_list" if self.image is None else "tag_list"

    def __str__(self) -> str:
        """Return the path, with each name percent-encoded once: `a/b` becomes `a%2Fb`."""
        path = f"{self.prefix}{_REGISTRIES}"
        if self.registry is not None:
            path += f"/{quote(self.registry, safe='')}"
        if self.image is not None:
            path += f"/{quote(self.image, safe='')}{_TAGS}"
        return path

    def page(self, number: int, size: int) -> str:
        """Return path and query of one page, exactly as they are signed and sent.

        Args:
            number: the page's number, from 1.
            size: records to ask for per page.
        """
        return f"{self}?{PAGE}={number}&{PAGE_SIZE}={size}"


@dataclass(frozen=True)
class RegistryPath:
    """A registry, with all that its paths need."""

    label: str
    """Its label value in metrics and logs."""
    name: str
    prefix: str
    """The region's path prefix, such as `/ncr/api/v2`."""

    @property
    def image_list(self) -> ListPath:
        """The registry's image list."""
        return ListPath(self.prefix, self.name)

    def tag_list(self, image: str) -> ListPath:
        """Return the tag list of one of its images."""
        return ListPath(self.prefix, self.name, image)


class PageTarget(NamedTuple):
    """The target of a request: one page of a list."""

    list: ListPath
    number: int
    """The page's number, from 1."""
    size: int
    """Records to return per page."""


def parse_path(path: str) -> ListPath | None:
    """Return the list at a path, or None if there is none: the inverse of `str(ListPath)`."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    names = [name if name is None else unquote(name) for name in match.group("registry", "image")]
    return ListPath(match["prefix"], *names)


def parse(target: str) -> PageTarget | None:
    """Return the page that path and query stand for, or None: the inverse of `ListPath.page`."""
    match = _TARGET.fullmatch(target)
    path = parse_path(match["path"]) if match else None
    if match is None or path is None:
        return None
    return PageTarget(path, int(match["page"]), int(match["size"]))
