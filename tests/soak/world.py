"""The simulated registry of a soak: what is in it, what befalls it, and what it remembers."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ncr_exporter.config.globs import matches
from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.httpd.server import Server
from ncr_exporter.ncr.vocabulary import ORIGIN_HEADER
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.simulator.data import FixedSource
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.simulator.records import Record, registry_record
from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY, SimulatedRegistry
from tests.soak.plan import TAGS, Calm, Change, Image, Population, Spell

LISTS_ALLOWED = 5
"""Whole image lists that may pass until an image that they lack must have left. Two are enough by
contract; the exporter may have been between two of them, or reading another configuration."""
_SETTLED = 2.0
"""Seconds that the last of them is over."""


class _Listing(NamedTuple):
    """An image list that was given whole, every page of it right."""

    began: float
    ended: float


@dataclass
class Tally:
    """What was done."""

    spells: dict[str, int] = field(default_factory=dict)
    born: int = 0
    dead: int = 0
    tagged: int = 0
    requests: int = 0
    spoiled: int = 0
    """Requests that met a fault."""


class World:
    """Holds registries whose images and tags come and go; a source of the simulated registry."""

    def __init__(self, secret: Path) -> None:
        """`secret` is the file by which the owner hands out the secret key."""
        self.tally = Tally()
        self._clock = SystemClock()
        self._secret = secret
        self._secrets = 0
        self._tags = 0
        self._content: dict[str, dict[str, list[Record]]] = {}
        self._pulls: dict[Image, int] = {}
        self._died: dict[Image, float] = {}
        self._listings: dict[str, deque[_Listing]] = {}
        self._began: dict[str, float | None] = {}
        """When the image list under way began; None once one of its pages was not right."""
        self._spell: Spell | None = None
        for registry, images in Population.first().images.items():
            self._content[registry] = {}
            self._listings[registry] = deque(maxlen=1000)
            for image in images:
                self._push((registry, image), TAGS)
        self._registry = SimulatedRegistry(self, keys={}, clock=self._clock)
        self._hand_out_key()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Give the API's base URL."""
        async with Server(self._handle, Limits(requests=64)) as server:
            yield f"http://127.0.0.1:{await server.listen('127.0.0.1', 0)}"

    def apply(self, what: Spell | Calm | Change) -> None:
        """Let something happen."""
        if isinstance(what, Change):
            self._change(what)
            return
        self._registry.faults.clear()
        self._spell = None
        if isinstance(what, Spell):
            self.tally.spells[what.fault] = self.tally.spells.get(what.fault, 0) + 1
            self._registry.faults.add(fault_named(what.fault), where=what.where, times=what.times)
            self._spell = what
        elif self._registry.keys != self._keys:
            self._hand_out_key()

    def truth(self, selection: dict[str, str]) -> dict[Image, int]:
        """Return the images that the selection (registry → glob) is about, and their tags."""
        return {
            (registry, image): len(tags)
            for registry, glob in selection.items()
            for image, tags in self._content[registry].items()
            if matches(image, glob)
        }

    def overdue(self, image: Image, at: float) -> bool:
        """Tell whether an image must not have been published at `at` any more, being deleted."""
        died = self._died.get(image)
        if died is None:
            return False
        since = [
            listing
            for listing in self._listings[image[0]]
            if listing.began > died and listing.ended < at - _SETTLED
        ]
        return len(since) >= LISTS_ALLOWED

    def registries(self, _now_ms: float, /) -> list[Record]:
        """Return the items of the registry list."""
        return [registry_record(name, public=False) for name in self._content]

    def images(self, registry: str, now_ms: float, /) -> list[Record]:
        """Return the items of a registry's image list."""
        listed = FixedSource(registry, self._content[registry]).images(registry, now_ms)
        # What the tags tell would fall with each that is deleted.
        return [each | {"pull_count": self._pulls[registry, each["name"]]} for each in listed]

    def tags(self, registry: str, image: str, _now_ms: float, /) -> list[Record]:
        """Return the items of an image's tag list."""
        return self._content[registry][image]

    def _change(self, change: Change) -> None:
        if change.born is not None:
            self._push(change.born, TAGS)
            self.tally.born += 1
        if change.dead is not None:
            del self._content[change.dead[0]][change.dead[1]]
            del self._pulls[change.dead]
            self._died[change.dead] = self._clock.time()
            self.tally.dead += 1
        for registry, image in change.tagged:
            self._push((registry, image), 1)
            self._content[registry][image].pop()
            self.tally.tagged += 1

    def _push(self, image: Image, tags: int) -> None:
        """Push so many tags to an image, the newest first; names are never used again."""
        now = int(self._clock.time() * 1000)
        listed = self._content[image[0]].setdefault(image[1], [])
        for _ in range(tags):
            self._tags += 1
            listed.insert(0, _tag(self._tags, now))
        self._pulls[image] = self._pulls.get(image, 0) + tags

    def _hand_out_key(self) -> None:
        self._secrets += 1
        secret = f"soak-secret-{self._secrets}"
        self._registry.keys = self._keys = {DEMO_ACCESS_KEY: secret}
        self._secret.write_text(secret, encoding="ascii")
        self._secret.chmod(0o600)

    async def _handle(self, request: Request) -> Response:
        began = self._clock.time()
        self.tally.requests += 1
        is_spoiled = self._spell is not None and self._spell.where in request.target
        self.tally.spoiled += is_spoiled
        answer = await self._registry.handle(request)
        is_right = not is_spoiled and answer.status == 200 and ORIGIN_HEADER in answer.headers
        registry = request.path.rpartition("/repositories/")[2]
        if registry in self._content:
            self._note_page(registry, request, began, is_right=is_right)
        return answer

    def _note_page(self, registry: str, request: Request, began: float, *, is_right: bool) -> None:
        """Follow an image list from page to page."""
        page, size = int(request.query["page"]), int(request.query["pagesize"])
        if page == 1:
            self._began[registry] = began
        if not is_right:
            self._began[registry] = None
        started = self._began.get(registry)
        if started is not None and page * size >= len(self._content[registry]):
            self._listings[registry].append(_Listing(started, self._clock.time()))


def _tag(number: int, now: int) -> Record:
    """Return a tag in NCR's shape, of two platforms."""
    platforms = [_platform(number, now, architecture) for architecture in ("amd64", "arm64")]
    return {
        "name": f"v{number}",
        "digest": f"sha256:{number:064x}",
        "full_size": platforms[0]["size"],
        "last_updated": now,
        "images": platforms,
    }


def _platform(number: int, now: int, architecture: str) -> Record:
    return {
        "architecture": architecture,
        "digest": f"sha256:{number:056x}{architecture.encode().hex()[:8]}",
        "latest_pulled": 0 if number % 5 == 0 else now - number % 1000,
        "os": "linux",
        "size": 1_000_000 + number,
        "updated": now,
        "variant": None,
    }
