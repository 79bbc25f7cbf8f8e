"""What runs, by the image references that a cluster prints: parsed, and placed. Pure.

A reference is `[host[:port]/]image[:tag][@digest]`, as pods name it and as container runtimes
report it. Sources: the grammar of distribution/reference; for the schemes in front of it,
`imageID` in the status of pods.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ncr_exporter.inventory import NOTHING_IN_USE, Running, Usage, usage_of
from ncr_exporter.state.model import ImageState, RegistryState
from ncr_exporter.targets.targets import ImageKey

_REFERENCE = re.compile(
    r"""
    (?: [a-z][a-z0-9+-]* :// )?                     # docker-pullable://
    (?: (?P<host> [^/@]*[.:][^/@]* | localhost ) / )?
    (?P<image> [\w.-]+ (?: /[\w.-]+ )* )
    (?: : (?P<tag> \w[\w.-]{0,127} ) )?
    (?: @ (?P<digest> [A-Za-z0-9+._-]+ : [A-Za-z0-9=_-]+ ) )?
    """,
    re.VERBOSE | re.ASCII,
)
_AROUND = "\"',;[]"
"""What a reference stands between where a list or a table was copied."""
_DEFAULT_PORT = ":443"
_DOCKER_HUB = "docker.io"
"""The host of a short name."""
_NCR = "ntruss.com"
"""The domain of all hosts that NCR serves images from."""


@dataclass(frozen=True)
class Reference:
    """One image reference; what is not written in it is empty."""

    host: str
    image: str
    running: Running


def read_references(text: str) -> Iterator[Reference | None]:
    """Yield the references in a text, one a line or separated by blanks; None for other words.

    Two on a line of their own, by tag and by digest of one image, are one: what a container was
    started by, and what it was resolved to.
    """
    for line in text.splitlines():
        found = [_read(word) for word in line.split()]
        pair = _pair(found)
        yield from found if pair is None else [pair]


def _pair(found: list[Reference | None]) -> Reference | None:
    if len(found) != 2 or None in found:  # noqa: PLR2004 -- a pair
        return None
    first, second = (reference for reference in found if reference is not None)
    same_image = (first.host, first.image) == (second.host, second.image)
    digest = second.running.digest
    if not (same_image and digest and first.running.tag and not first.running.digest):
        return None
    return Reference(first.host, first.image, Running(first.running.tag, digest))


def _read(word: str) -> Reference | None:
    match = _REFERENCE.fullmatch(word.strip(_AROUND))
    if match is None:
        return None
    digest = match["digest"] or ""
    tag = match["tag"] or ("" if digest else "latest")
    host = (match["host"] or _DOCKER_HUB).lower().removesuffix(_DEFAULT_PORT)
    return Reference(host, match["image"], Running(tag, digest))


@dataclass(frozen=True)
class InUse:
    """What of the polled images runs."""

    running: Mapping[ImageKey, frozenset[Running]]
    references: int
    """References given, each counted as often as it was."""
    placed: int
    """Those to images that were polled."""
    unknown_hosts: tuple[str, ...]
    """Hosts of NCR that belong to no polled registry, as far as is known."""

    @property
    def not_placed(self) -> int:
        """References to other registries or images, and words that are no reference."""
        return self.references - self.placed

    def usage_of(self, state: ImageState) -> Usage:
        """Return what of one image runs."""
        running = self.running.get(state.target.key)
        return usage_of(tuple(state.tags or ()), running) if running else NOTHING_IN_USE


def place(
    references: Iterable[Reference | None],
    registries: Iterable[RegistryState],
    images: Mapping[ImageKey, object],
) -> InUse:
    """Return what of `images` runs, by references to hosts of `registries`."""
    labels = {host: state.target.label for state in registries for host in _hosts(state)}
    running: dict[ImageKey, set[Running]] = {}
    given = placed = 0
    unknown = set()
    for reference in references:
        given += 1
        if reference is None:
            continue
        if reference.host not in labels:
            unknown.add(reference.host)
            continue
        key = (labels[reference.host], reference.image)
        if key in images:
            placed += 1
            running.setdefault(key, set()).add(reference.running)
    hosts = sorted(host for host in unknown if host.endswith(_NCR))
    found = {key: frozenset(references) for key, references in running.items()}
    return InUse(found, given, placed, tuple(hosts))


def _hosts(state: RegistryState) -> Iterator[str]:
    """Yield a registry's hosts; the documented one too, which pods may name although it is off."""
    yield from (host for host, _ in state.hosts)
    if not state.target.is_every:
        yield state.target.documented_host
