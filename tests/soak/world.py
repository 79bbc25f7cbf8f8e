"""The simulated registry of a soak: what is in it, what befalls it, and what it remembers."""

from collections import deque
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ncr_exporter.config.globs import matches
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.ncr.paths import PageTarget, parse
from ncr_exporter.ncr.vocabulary import ORIGIN_HEADER
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.simulator.api_records import JsonRecord
from ncr_exporter.simulator.faults import fault_named
from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY, SimulatedRegistry
from tests.soak.plan import TAGS, Calm, Change, Image, Population, Spell
from tests.support.api_client import Fleet, platform, tag
from tests.support.http_server import served

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
    """Registries whose images and tags come and go."""

    def __init__(self, secret: Path) -> None:
        """`secret` is the file by which the owner hands out the secret key."""
        self.tally = Tally()
        self._clock = SystemClock()
        self._secret = secret
        self._secrets = 0
        self._tags = 0
        self._fleet = Fleet()
        self._died: dict[Image, float] = {}
        self._listings: dict[str, deque[_Listing]] = {}
        self._began: dict[str, float | None] = {}
        """When the image list under way began; None once one of its pages was not right."""
        self._spell: Spell | None = None
        for registry, images in Population.first().images.items():
            self._fleet.content[registry] = {}
            self._listings[registry] = deque(maxlen=1000)
            for image in images:
                self._push((registry, image), TAGS)
        self._registry = SimulatedRegistry(self._fleet, keys={}, clock=self._clock)
        self._hand_out_key()

    def serving(self) -> AbstractAsyncContextManager[str]:
        """Give the API's base URL."""
        return served(self._handle)

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
            for image, tags in self._fleet.content[registry].items()
            if matches(image, glob)
        }

    def overdue(self, image: Image, at: float) -> bool:
        """Return whether an image was deleted long enough before `at` that it must have left."""
        died = self._died.get(image)
        if died is None:
            return False
        since = [
            listing
            for listing in self._listings[image[0]]
            if listing.began > died and listing.ended < at - _SETTLED
        ]
        return len(since) >= LISTS_ALLOWED

    def _change(self, change: Change) -> None:
        if change.born is not None:
            self._push(change.born, TAGS)
            self.tally.born += 1
        if change.dead is not None:
            del self._fleet.content[change.dead[0]][change.dead[1]]
            del self._fleet.counted[change.dead]
            self._died[change.dead] = self._clock.time()
            self.tally.dead += 1
        for registry, image in change.tagged:
            self._push((registry, image), 1)
            self._fleet.content[registry][image].pop()
            self.tally.tagged += 1

    def _push(self, image: Image, tags: int) -> None:
        """Push tags to an image, the newest first; names are never used again."""
        now = int(self._clock.time() * 1000)
        listed = self._fleet.content[image[0]].setdefault(image[1], [])
        for _ in range(tags):
            self._tags += 1
            listed.insert(0, _tag(self._tags, now))
        self._fleet.counted[image] = self._fleet.counted.get(image, 0) + tags

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
        page = parse(request.target)
        known = page is not None and page.list.registry in self._fleet.content
        if page and known and page.list.operation == "image_list":
            self._note_page(page, began, is_right=is_right)
        return answer

    def _note_page(self, page: PageTarget, began: float, *, is_right: bool) -> None:
        """Follow an image list from page to page."""
        registry = page.list.registry or ""
        if page.is_first:
            self._began[registry] = began
        if not is_right:
            self._began[registry] = None
        started = self._began.get(registry)
        read = (page.number - page.list.style.first_page + 1) * (page.size or 0)
        if started is not None and read >= len(self._fleet.content[registry]):
            self._listings[registry].append(_Listing(started, self._clock.time()))


def _tag(number: int, now: int) -> JsonRecord:
    """Return a tag in NCR's shape, of two platforms."""
    size, pulled = 1_000_000 + number, 0 if number % 5 == 0 else now - number % 1000
    platforms = [
        platform(
            f"sha256:{number:056x}{architecture.encode().hex()[:8]}",
            architecture=architecture,
            latest_pulled=pulled,
            size=size,
            updated=now,
        )
        for architecture in ("amd64", "arm64")
    ]
    digest = f"sha256:{number:064x}"
    return tag(f"v{number}", digest=digest, size=size, last_updated=now, images=platforms)
