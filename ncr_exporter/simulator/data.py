"""Records for the simulated registry's lists: generated for the current time, or from a file.

No function reads the clock: all of them take the time, in ms since the epoch.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from ncr_exporter.simulator.api_records import (
    JsonRecord,
    image_record,
    registry_record,
    signature_record,
    tag_record,
)
from ncr_exporter.simulator.demo_images import REGISTRIES
from ncr_exporter.simulator.releases import SimulatedImage, tick

_PUBLIC = {"demo-base"}


class Source(Protocol):
    """The records of the three lists at a given time (ms since the epoch)."""

    def registries(self, now_ms: float, /) -> list[JsonRecord]:
        """Return the records of the registry list."""
        ...

    def images(self, registry: str, now_ms: float, /) -> list[JsonRecord]:
        """Return the records of a registry's image list.

        Raises:
            KeyError: the registry does not exist.
        """
        ...

    def tags(self, registry: str, image: str, now_ms: float, /) -> list[JsonRecord]:
        """Return the records of an image's tag list.

        Raises:
            KeyError: the registry or the image does not exist.
        """
        ...


def registries(_now_ms: float) -> list[JsonRecord]:
    """Return the records of the registry list, which never changes."""
    return [registry_record(name, public=name in _PUBLIC) for name in REGISTRIES]


def images(registry: str, now_ms: float) -> list[JsonRecord]:
    """Return the records of a registry's image list.

    Raises:
        KeyError: the registry does not exist.
    """
    now = tick(now_ms)
    return [_image_record(registry, simulated, now) for simulated in REGISTRIES[registry]]


def tags(registry: str, image: str, now_ms: float) -> list[JsonRecord]:
    """Return the records of an image's tag list: aliases, releases, and what is attached to them.

    Each the newest first.

    Raises:
        KeyError: the registry or the image does not exist.
    """
    simulated = {simulated.name: simulated for simulated in REGISTRIES[registry]}[image]
    now = tick(now_ms)
    numbers = simulated.numbers(now)
    aliases = [(numbers[back], alias) for alias, back in simulated.aliases if back < len(numbers)]
    names = [*aliases, *((number, simulated.tag(number)) for number in numbers)]
    own = [tag_record(registry, simulated, number, name, now) for number, name in names]
    signed = numbers if simulated.signed else ()
    return [*own, *(signature_record(registry, simulated, number) for number in signed)]


def _image_record(registry: str, image: SimulatedImage, now: int) -> JsonRecord:
    newest = next(iter(image.numbers(now)), None)
    return image_record(
        registry,
        image.name,
        image.description,
        pulls=image.pulls(now),
        last_updated=None if newest is None else image.built(newest),
    )


class GeneratedSource:
    """The demo's generated registries."""

    def registries(self, now_ms: float, /) -> list[JsonRecord]:
        """Return the records of the registry list."""
        return registries(now_ms)

    def images(self, registry: str, now_ms: float, /) -> list[JsonRecord]:
        """Return the records of an image list; KeyError if the registry does not exist."""
        return images(registry, now_ms)

    def tags(self, registry: str, image: str, now_ms: float, /) -> list[JsonRecord]:
        """Return the records of a tag list; KeyError if registry or image does not exist."""
        return tags(registry, image, now_ms)


class FixedSource:
    """One registry with given images: name → the records of the tag list."""

    def __init__(self, registry: str, images: Mapping[str, list[JsonRecord]]) -> None:
        self._registry = registry
        self._images = images

    def registries(self, _now_ms: float, /) -> list[JsonRecord]:
        """Return the one record of the registry list."""
        return [registry_record(self._registry, public=False)]

    def images(self, registry: str, _now_ms: float, /) -> list[JsonRecord]:
        """Return the records of the image list, with values derived from the tags.

        Raises:
            KeyError: the registry does not exist.
        """
        if registry != self._registry:
            raise KeyError(registry)
        return [_derived_record(registry, name, listed) for name, listed in self._images.items()]

    def tags(self, registry: str, image: str, _now_ms: float, /) -> list[JsonRecord]:
        """Return the records of a tag list; KeyError if registry or image does not exist."""
        if registry != self._registry:
            raise KeyError(registry)
        return self._images[image]


def _derived_record(registry: str, name: str, listed: list[JsonRecord]) -> JsonRecord:
    """Return the image list's record of an image; each platform with a pull time is one pull."""
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
    """Return a registry with one image, whose tags are in a file.

    The image is named after the file: `nginx-tags.json` is the image `nginx` of `demo-registry`.

    Raises:
        ValueError: the file holds no tags; the message says why.
    """
    image = path.stem.removesuffix("-tags") or path.stem
    return FixedSource("demo-registry", {image: load_tags(path)})


def load_tags(path: Path) -> list[JsonRecord]:
    """Return the tags in a file: a JSON array of records of a tag list.

    Raises:
        ValueError: the file is not a JSON array of objects; the message says why.
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
    return "; save only the array in `results`" if paged else ""


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "an array", str: "a text", type(None): "null"}
    return kinds.get(type(value), "true or false" if isinstance(value, bool) else "a number")
