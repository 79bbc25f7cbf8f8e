"""The registries that the contract's state machine changes, and the API client that reads them.

Answers come without sockets; what each listing came to is told to the model.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sized
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

from ncr_exporter.ncr.client import Client
from ncr_exporter.ncr.errors import (
    ApiError,
    DeadlineError,
    DeniedError,
    ErrorDetails,
    NotFoundError,
    ServerError,
    ThrottledError,
)
from ncr_exporter.ncr.fair_queue import Priority
from ncr_exporter.ncr.listing import Listing
from ncr_exporter.ncr.paths import ListPath, RegistryPath
from ncr_exporter.ncr.signing import GatewayClock
from ncr_exporter.ncr.transport import RequestLabels, Transport
from tests.oracle.computation import Json
from tests.oracle.model import Model
from tests.oracle.seen import Moment
from tests.support.api_client import Heard
from tests.support.clock import ManualClock

PAGE_SIZE = 2
SLOWEST = 1000.0
"""Seconds until a tag list is answered."""
_LATENCY = 0.001
"""Seconds until any answer: what is due already happens before it comes."""


Subject = tuple[str, ...]
"""What is asked for: registry and image, a registry's images, or all registries."""


class World:
    """The registries as they are, and how the API misbehaves."""

    def __init__(self) -> None:
        self.content: dict[str, dict[str, list[Json]]] = {"one": {}, "two": {}}
        self.pulls: dict[tuple[str, str], int] = {}
        self.unlisted: set[tuple[str, str]] = set()
        self.faults: dict[str, str] = {}
        """Part of a path → the fault that requests to it meet."""
        self.slow = 0.0
        """Seconds until a tag list is answered."""

    def fault_of(self, path: str) -> str | None:
        return next((fault for part, fault in self.faults.items() if part in path), None)

    def nameless(self, path: str, records: Sized) -> int:
        """Return how many records of a list come without their name."""
        return int(self.fault_of(f"{path}?") == "nameless" and bool(records))

    def said(self, path: str, records: Sized) -> int:
        """Return the count that a list of these records comes with, whatever of it is shown."""
        is_wrong = self.fault_of(f"{path}?") == "miscounted"
        return len(records) + is_wrong + self.nameless(path, records)

    def shown(self, path: str, names: Iterable[str]) -> list[str]:
        """Return which of these names a list shows."""
        fault, shown = self.fault_of(f"{path}?"), list(names)
        if fault == "emptied":
            return []
        return shown[:-1] if fault == "short" else shown

    def refusal(self, path: str, registry: str, image: str | None = None) -> str | None:
        """Return the fault that the first page of a list is refused with, if it is."""
        fault = self.fault_of(f"{path}?")
        if fault in FAULTS:
            return fault
        images = self.content.get(registry)
        there = images is not None and (image is None or image in images)
        return None if there else "service 404"

    def listed(self, registry: str) -> dict[str, int]:
        names = self.content[registry]
        return {
            name: self.pulls.get((registry, name), 0)
            for name in names
            if (registry, name) not in self.unlisted
        }

    def described(self) -> dict[str, tuple[str, bool]]:
        return {name: (f"{name}.private.example", name == "two") for name in self.content}


FAULTS: dict[str, Callable[[], ApiError]] = {
    "server": lambda: ServerError("HTTP 500"),
    "timeout": lambda: DeadlineError("no answer"),
    "throttled": lambda: ThrottledError("HTTP 429"),
    "denied": lambda: DeniedError("HTTP 403"),
    "gateway 404": lambda: NotFoundError("HTTP 404", ErrorDetails(404), from_service=False),
    "service 404": lambda: NotFoundError("HTTP 404", ErrorDetails(404), from_service=True),
}
SPOILED = [
    "html",
    "later page",
    "missing page",
    "denied page",
    "miscounted",
    "emptied",
    "short",
    "error body",
    "nameless",
    "loop",
]
LATER = {
    "later page": lambda: ServerError("HTTP 502"),
    "missing page": FAULTS["service 404"],
    "denied page": FAULTS["denied"],
}
"""Faults of every page but the first."""


def _refusal(fault: str) -> ApiError:
    return FAULTS[fault]()


class ScriptedTransport:
    """Answers from the world in place of the network."""

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.gateway_clock = GatewayClock(clock)
        self._world = world
        self._clock = clock

    @asynccontextmanager
    async def request(self, path: str, _: RequestLabels, __: Priority) -> AsyncIterator[bytes]:
        page = int(path.partition("page=")[2].partition("&")[0])
        if page == 1:  # later pages come at once: a listing is of one moment
            slow = self._world.slow if "/tags?" in path else 0.0
            await self._clock.sleep(slow or _LATENCY)
        fault = self._world.fault_of(path)
        if fault in FAULTS:
            raise _refusal(fault)
        yield self._body(path.partition("?")[0], page, fault)

    def _body(self, path: str, page: int, fault: str | None) -> bytes:
        if fault == "html":
            return b"<!doctype html>"
        if fault in LATER and page > 1:
            raise LATER[fault]()  # noqa: RSE102 -- a function that makes the error
        there = self._records(path.split("/repositories")[1].split("/")[1:])
        names = self._world.shown(path, [record["name"] for record in there])
        records = [record for record in there if record["name"] in names]
        more = page * PAGE_SIZE < len(records)
        shown = records[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        if fault == "nameless" and shown and page == 1:
            shown = [{"name": None, "full_size": 7}, *shown]
        following = 1 if fault == "loop" and more else page + 1
        count = self._world.said(path, there)
        content = {"results": shown, "count": count, "next": following if more else None}
        if fault == "error body":
            content["error"] = {"errorCode": "900", "message": "Unexpected Error"}
        return json.dumps(content).encode()

    def _records(self, names: list[str]) -> list[Json]:
        world = self._world
        if not names:
            return [
                {
                    "name": name,
                    "end_point": f"{name}.kr.ncr.ntruss.com",
                    "private_end_point": private,
                    "public_reg_status": public,
                }
                for name, (private, public) in world.described().items()
            ]
        registry, image = names[0], "/".join(names[1:-1]).replace("%2F", "/")
        if registry not in world.content or (image and image not in world.content[registry]):
            raise _refusal("service 404")
        if image:
            return world.content[registry][image]
        return [{"name": k, "pull_count": v} for k, v in world.listed(registry).items()]


class WatchedClient(Client):
    """The real client; the model is told what each listing came to."""

    def __init__(self, world: World, model: Model, clock: ManualClock) -> None:
        transport = cast("Transport", ScriptedTransport(world, clock))
        super().__init__(transport, page_size=PAGE_SIZE, metrics=Heard())
        self._world, self._model, self._clock = world, model, clock
        self.asked: dict[Subject, float] = {}
        """When each was asked for last, in monotonic seconds."""
        self._under_way: set[Subject] = set()

    @property
    def now(self) -> Moment:
        return Moment(self._clock.time(), self._clock.monotonic())

    def _check_page(self, path: str) -> None:
        """Fail where a listing was made of a body that holds an error."""
        assert self._world.fault_of(f"{path}?") != "error body", f"believed: {path}"

    @contextmanager
    def _asking(self, *subject: str) -> Iterator[None]:
        assert subject not in self._under_way, "asked for twice at a time"
        self.asked[subject] = self.now.mono
        self._under_way.add(subject)
        try:
            yield
        finally:
            self._under_way.remove(subject)

    async def tags(
        self, registry: RegistryPath, image: str, before: Listing[Any] | None = None
    ) -> Listing[Any]:
        label, began = registry.label, self.now.mono
        try:
            with self._asking(label, image):
                listing = await super().tags(registry, image, before)
        except ApiError:
            path = str(registry.tag_list(image))
            not_found = self._world.refusal(path, registry.name, image) == "service 404"
            took = self.now.mono - began
            self._model.tags_failed(label, image, self.now, took, not_found=not_found)
            raise
        self._check_page(str(registry.tag_list(image)))
        tags = self._world.content[registry.name][image]
        names = self._world.shown(str(registry.tag_list(image)), [tag["name"] for tag in tags])
        tags = [tag for tag in tags if tag["name"] in names]
        self._model.tags_listed(label, image, tags, self.now, self.now.mono - began)
        return listing

    async def images(self, registry: RegistryPath) -> Listing[Any]:
        try:
            with self._asking(registry.label):
                listing = await super().images(registry)
        except ApiError:
            refusal = self._world.refusal(str(registry.image_list), registry.name)
            denied = refusal == "denied"
            self._model.images_failed(registry.label, self.now, denied=denied)
            raise
        world, path = self._world, str(registry.image_list)
        self._check_page(path)
        listed = world.listed(registry.name)
        shown = {name: listed[name] for name in world.shown(path, listed)}
        nameless, said = world.nameless(path, shown), world.said(path, listed)
        self._model.images_listed(registry.label, shown, self.now, nameless=nameless, said=said)
        return listing

    async def registries(self, label: str, prefix: str) -> Listing[Any]:
        try:
            with self._asking():
                listing = await super().registries(label, prefix)
        except ApiError:
            self._model.registries_failed()
            raise
        world, path = self._world, str(ListPath(prefix))
        self._check_page(path)
        there = world.described()
        shown = {name: there[name] for name in world.shown(path, there)}
        nameless, said = world.nameless(path, shown), world.said(path, there)
        self._model.registries_listed(shown, self.now, nameless=nameless, said=said)
        return listing
