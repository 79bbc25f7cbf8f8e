"""What the simulated registry lists: generated data that moves with time, or tags from a file.

Pure and without a clock: every function is told the time, in milliseconds since the epoch.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from ncr_exporter.simulator.catalogue import REGISTRIES
from ncr_exporter.simulator.records import Record, image_record, registry_record, tag_record
from ncr_exporter.simulator.releases import Line, tick

_PUBLIC = {"demo-base"}


class Source(Protocol):
    """Where the records of the three lists come from."""

    def registries(self, now_ms: float, /) -> list[Record]:
        """Return the items of the registry list."""
        ...

    def images(self, registry: str, now_ms: float, /) -> list[Record]:
        """Return the items of a registry's image list.

        Raises:
            KeyError: there is no such registry.
        """
        ...

    def tags(self, registry: str, image: str, now_ms: float, /) -> list[Record]:
        """Return the items of an image's tag list.

        Raises:
            KeyError: there is no such registry, or no such image in it.
        """
        ...


def registries(_now_ms: float) -> list[Record]:
    """Return the registry list: who has registries rarely makes new ones."""
    return [registry_record(name, public=name in _PUBLIC) for name in REGISTRIES]


def images(registry: str, now_ms: float) -> list[Record]:
    """Return the image list of a registry.

    Raises:
        KeyError: there is no such registry.
    """
    now = tick(now_ms)
    return [_image(registry, line, now) for line in REGISTRIES[registry]]


def tags(registry: str, image: str, now_ms: float) -> list[Record]:
    """Return the tag list of an image, the newest first.

    Raises:
        KeyError: there is no such registry, or no such image in it.
    """
    line = {line.name: line for line in REGISTRIES[registry]}[image]
    now = tick(now_ms)
    numbers = line.numbers(now)
    aliased = [(numbers[back], alias) for alias, back in line.aliases if back < len(numbers)]
    named = [*aliased, *((number, line.tag(number)) for number in numbers)]
    return [tag_record(registry, line, number, name, now) for number, name in named]


def _image(registry: str, line: Line, now: int) -> Record:
    newest = next(iter(line.numbers(now)), None)
    return image_record(
        registry,
        line.name,
        line.description,
        pulls=line.pulls(now),
        last_updated=None if newest is None else line.built(newest),
    )


class GeneratedSource:
    """The demo's own data."""

    def registries(self, now_ms: float, /) -> list[Record]:
        """Return the items of the registry list."""
        return registries(now_ms)

    def images(self, registry: str, now_ms: float, /) -> list[Record]:
        """Return the items of a registry's image list; KeyError where there is no such registry."""
        return images(registry, now_ms)

    def tags(self, registry: str, image: str, now_ms: float, /) -> list[Record]:
        """Return the items of an image's tag list; KeyError where there is no such image."""
        return tags(registry, image, now_ms)


class FixedSource:
    """One registry whose images (name → items of its tag list) are served as they are."""

    def __init__(self, registry: str, images: Mapping[str, list[Record]]) -> None:
        self._registry = registry
        self._images = images

    def registries(self, _now_ms: float, /) -> list[Record]:
        """Return the items of the registry list: one."""
        return [registry_record(self._registry, public=False)]

    def images(self, registry: str, _now_ms: float, /) -> list[Record]:
        """Return the items of the image list; what the tags do not tell follows from them."""
        if registry != self._registry:
            raise KeyError(registry)
        return [_described(registry, name, listed) for name, listed in self._images.items()]

    def tags(self, registry: str, image: str, _now_ms: float, /) -> list[Record]:
        """Return the items of an image's tag list; KeyError where there is no such image."""
        if registry != self._registry:
            raise KeyError(registry)
        return self._images[image]


def _described(registry: str, name: str, listed: list[Record]) -> Record:
    """Return an image list item: each record with a pull time counts as one pull, the least."""
    updates = _times(tag.get("last_updated") for tag in listed)
    platforms = [
        platform
        for tag in listed
        if isinstance(tag.get("images"), list)
        for platform in tag["images"]
        if isinstance(platform, dict)
    ]
    pulls = len(_times(platform.get("latest_pulled") for platform in platforms))
    return image_record(registry, name, "", pulls=pulls, last_updated=max(updates, default=None))


def _times(values: Iterable[object]) -> list[int]:
    return [value for value in values if isinstance(value, int) and value > 0]


def file_source(path: Path) -> FixedSource:
    """Return what `--tags=FILE` serves: `nginx-tags.json` as image `nginx` of `demo-registry`.

    Raises:
        ValueError: the file does not hold tags; the message says why, for people.
    """
    image = path.stem.removesuffix("-tags") or path.stem
    return FixedSource("demo-registry", {image: load_tags(path)})


def load_tags(path: Path) -> list[Record]:
    """Return the tags in a file: a JSON array in the shape of the tag list's `results`.

    Raises:
        ValueError: the file is no JSON array of objects; the message says why, for people.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not JSON: it is not text in UTF-8") from None
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply to be a list of tags") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{path} is not JSON: {error.msg} in {place}") from None
    if not isinstance(content, list):
        raise ValueError(
            f"{path} must hold a JSON array of tags, not {_kind(content)}{_hint(content)}"
        )
    for position, item in enumerate(content):
        if not isinstance(item, dict):
            raise ValueError(
                f"{path} must hold tags: item {position} is {_kind(item)}, not an object"
            )
    return content


def _hint(content: object) -> str:
    paged = isinstance(content, dict) and "results" in content
    return "; save what is in its `results`" if paged else ""


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "an array", str: "a text", type(None): "null"}
    return kinds.get(type(value), "true or false" if isinstance(value, bool) else "a number")
