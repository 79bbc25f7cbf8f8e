"""The registries that the contract's state machine changes, and the API client that reads them.

Answers come without sockets; what each listing came to is told to the model.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sized
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, cast

from ncr_exporter.config import Api
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
from ncr_exporter.ncr.odd_counts import NOT_ODD, OddCount
from ncr_exporter.ncr.paths import V2_PATHS, ListPath, RegistryPath, parse
from ncr_exporter.ncr.signing import GatewayClock
from ncr_exporter.ncr.transport import RequestLabels, Transport
from ncr_exporter.ncr.versions import VERSIONS, gateway_of
from ncr_exporter.simulator.v3 import date_time
from ncr_exporter.state.model import ImageState
from tests.oracle.computation import Json
from tests.oracle.model import Model
from tests.oracle.seen import Entry, Moment, SeenList
from tests.support.api_client import Heard
from tests.support.clock import ManualClock
from tests.support.versions import page_in, page_number

PAGE_SIZE = 2
SLOWEST = 1000.0
"""Seconds until a tag list is answered."""
_LATENCY = 0.001
"""Seconds until any answer: what is due already happens before it comes."""


_ELSEWHERE = 7
"""The number that a page of version 3 has where it leads in a circle."""


def path_of(path: ListPath) -> str:
    """Return a path as the faults of a `World` name it, whatever the version."""
    return str(replace(path, style=V2_PATHS))


Subject = tuple[str, ...]
"""What is asked for: registry and image, a registry's images, or all registries."""


class World:
    """The registries as they are, and how the API misbehaves."""

    def __init__(self) -> None:
        self.content: dict[str, dict[str, list[Json]]] = {"one": {}, "two": {}}
        self.pulls: dict[tuple[str, str], int] = {}
        self.updated: dict[tuple[str, str], int | None] = {}
        self.pulled: dict[tuple[str, str], int | None] = {}
        """The last pulls of images, which version 3 alone tells; 0 for no pull."""
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

    def entries(self, registry: str, version: str) -> dict[str, Entry]:
        """Return what a pull or a push changes in the image list, where all of it is told."""
        entries = {}
        for name, pulls in self.listed(registry).items():
            told = [pulls, self.updated.get((registry, name))]
            if version == "v3":
                told.append(self.pulled.get((registry, name)))
            if None not in told:
                entries[name] = tuple(value for value in told if value is not None)
        return entries

    def images(self, registry: str, version: str) -> list[Json]:
        """Return the records of the image list, with the fields of version 2 and a last pull."""
        records: list[Json] = []
        for name, pulls in self.listed(registry).items():
            updated = self.updated.get((registry, name))
            records.append({"name": name, "pull_count": pulls, "last_updated": updated})
            pulled = self.pulled.get((registry, name))
            if version == "v3" and pulled is not None:
                records[-1]["lastPulledDateTime"] = date_time(pulled)
        return records

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
    async def request(
        self, target: str, _: RequestLabels, __: Priority, *___: object
    ) -> AsyncIterator[bytes]:
        asked = parse(target)
        assert asked is not None
        if asked.is_first:  # later pages come at once: a listing is of one moment
            slow = self._world.slow if asked.list.operation == "tag_list" else 0.0
            await self._clock.sleep(slow or _LATENCY)
        fault = self._world.fault_of(f"{path_of(asked.list)}?page={page_number(target)}")
        if fault in FAULTS:
            raise _refusal(fault)
        yield self._body(asked.list, page_number(target), fault)

    def _body(self, path: ListPath, page: int, fault: str | None) -> bytes:
        if fault == "html":
            return b"<!doctype html>"
        if fault in LATER and page > 1:
            raise LATER[fault]()  # noqa: RSE102 -- a function that makes the error
        there = self._records(path)
        names = self._world.shown(path_of(path), [record["name"] for record in there])
        records = [record for record in there if record["name"] in names]
        more = page * PAGE_SIZE < len(records)
        shown = records[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        if fault == "nameless" and shown and page == 1:
            shown = [{"name": None, "full_size": 7}, *shown]
        following = 1 if fault == "loop" and more else page + 1
        count = self._world.said(path_of(path), there)
        content = {"results": shown, "count": count, "next": following if more else None}
        sent = page_in(VERSIONS[path.style.version], content, page, path.operation)
        if fault == "error body":
            sent["error"] = {"errorCode": "900", "message": "Unexpected Error"}
        if following == 1 and "page" in sent:
            sent["page"]["pageNo"] = _ELSEWHERE
        return json.dumps(sent).encode()

    def _records(self, path: ListPath) -> list[Json]:
        world, registry, image = self._world, path.registry, path.image
        if registry is None:
            return [
                {
                    "name": name,
                    "end_point": f"{name}.kr.ncr.ntruss.com",
                    "private_end_point": private,
                    "public_reg_status": public,
                }
                for name, (private, public) in world.described().items()
            ]
        if registry not in world.content or (image and image not in world.content[registry]):
            raise _refusal("service 404")
        if image:
            return world.content[registry][image]
        return world.images(registry, path.style.version)


class WatchedClient(Client):
    """The real client; the model is told what each listing came to."""

    def __init__(self, world: World, model: Model, clock: ManualClock, version: str) -> None:
        transport = cast("Transport", ScriptedTransport(world, clock))
        gateway = gateway_of(Api(), "public", version)
        super().__init__(transport, gateway=gateway, page_size=PAGE_SIZE, metrics=Heard())
        self._world, self._model, self._clock = world, model, clock
        self.asked: dict[Subject, float] = {}
        """When each was asked for last, in monotonic seconds."""
        self._under_way: set[Subject] = set()

    def speak(self, version: str) -> None:
        """Ask in another version of the API from the next listing on."""
        self.gateway = gateway_of(Api(), "public", version)

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
        assert not self._model.is_answered(label, image, began), "listed though nothing changed"
        entry = self._model.entry(label, image)
        try:
            with self._asking(label, image):
                listing = await super().tags(registry, image, before)
        except ApiError:
            path = path_of(self.gateway.list_path("kr", registry.name, image))
            not_found = self._world.refusal(path, registry.name, image) == "service 404"
            took = self.now.mono - began
            self._model.tags_failed(label, image, self.now, took, not_found=not_found)
            raise
        tags = self._world.content[registry.name][image]
        path = path_of(self.gateway.list_path("kr", registry.name, image))
        self._check_page(path)
        names = self._world.shown(path, [tag["name"] for tag in tags])
        tags = [tag for tag in tags if tag["name"] in names]
        took = self.now.mono - began
        self._model.tags_listed(label, image, tags, self.now, took, entry=entry)
        return listing

    def put(self, state: ImageState) -> None:
        """Tell the model of a poll that was answered without a request."""
        label, name = state.target.key
        image = self._model.registries[label].images.get(name)
        if image is not None and state.unchanged > image.unchanged:
            self.asked[label, name] = self.now.mono
            self._model.answered(label, name, self.now)

    async def images(self, registry: RegistryPath, odd_count: OddCount = NOT_ODD) -> Listing[Any]:
        began, version = self.now.mono, self.gateway.version.name
        try:
            with self._asking(registry.label):
                listing = await super().images(registry, odd_count)
        except ApiError:
            path = path_of(self.gateway.list_path("kr", registry.name))
            refusal = self._world.refusal(path, registry.name)
            denied = refusal == "denied"
            self._model.images_failed(registry.label, self.now, denied=denied)
            raise
        world, path = self._world, path_of(self.gateway.list_path("kr", registry.name))
        self._check_page(path)
        listed = world.listed(registry.name)
        shown = {name: listed[name] for name in world.shown(path, listed)}
        nameless, said = world.nameless(path, shown), world.said(path, listed)
        entries = {k: v for k, v in world.entries(registry.name, version).items() if k in shown}
        is_sound = not nameless and said == len(shown)
        newest = SeenList(began, self.now, entries) if is_sound else None
        self._model.images_listed(
            registry.label, shown, self.now, nameless=nameless, said=said, newest=newest
        )
        return listing

    async def registries(
        self, label: str, region: str, odd_count: OddCount = NOT_ODD
    ) -> Listing[Any]:
        try:
            with self._asking():
                listing = await super().registries(label, region, odd_count)
        except ApiError:
            self._model.registries_failed()
            raise
        world, path = self._world, path_of(self.gateway.list_path(region))
        self._check_page(path)
        there = world.described()
        shown = {name: there[name] for name in world.shown(path, there)}
        nameless, said = world.nameless(path, shown), world.said(path, there)
        self._model.registries_listed(shown, self.now, nameless=nameless, said=said)
        return listing
