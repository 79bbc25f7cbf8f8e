"""What a status page may have to show: a few images, thousands, nothing but failures, nothing."""

import math
from collections.abc import Callable

from ncr_exporter.inventory import Platform, Tag
from ncr_exporter.metrics.exporter_metrics import ExporterMetrics
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.ncr.pages import ListedImage
from ncr_exporter.runtime.cooperative import exhaust
from ncr_exporter.state.model import Description, Failure
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import ImageTarget
from ncr_exporter.texts.failures import NOT_CONNECTED, NOT_IN_TIME, REMEDIES
from ncr_exporter.web.routes import Routes
from tests.support.clock import ManualClock
from tests.support.states import NOW, NOW_MS, registry_target, rule, target

_DAY_MS = 86_400_000
_MINUTE = 60.0
_TEAMS = ("shop", "search", "ledger", "ml", "platform", "legacy", "data/etl")
_PARTS = ("api", "worker", "frontend", "cron", "gateway", "migrations", "export")
DENIED = Failure("permission", "HTTP 401/210 Permission Denied", REMEDIES["permission"]())
TIMED_OUT = Failure("timeout", NOT_IN_TIME(seconds=30.0), REMEDIES["timeout"]())
NOT_FOUND = Failure("not_found", "HTTP 404/300 Not Found", REMEDIES["not_found"]())
UNREACHABLE = Failure(
    "connection",
    NOT_CONNECTED(detail="[Errno -3] Temporary failure in name resolution"),
    REMEDIES["connection"](),
)


class House:
    """A store with all that is shown of it, as it would stand after some rounds of polling."""

    def __init__(self) -> None:
        self.exposition = Exposition()
        self.store = Store(self.exposition)

    def registry(self, name: str, *, images: int | None = None, public: bool | None = None) -> None:
        """Begin with a registry, listed a minute ago unless `images` is None."""
        host = f"{name}.kr.ncr.ntruss.com"
        self.store.add_registry(registry_target(name))
        if images is not None:
            listed = {f"{number}": ListedImage(f"{number}") for number in range(images)}
            exhaust(self.store.record_image_list(name, listed, at=NOW - _MINUTE))
        if public is not None:
            hosts = ((host, "public"), (f"{name}-private.kr.ncr.ntruss.com", "private"))
            self.store.record_description(name, Description(NOW - _MINUTE, hosts, public))

    def polled(self, image: ImageTarget, *outcomes: tuple[Tag, ...] | Failure) -> None:
        """Poll an image, the last time two minutes ago, and each quarter of an hour before.

        It is in its registry's image list, if there was one.
        """
        registry = self.store.registries.get(image.registry.label)
        is_listed = registry is not None and registry.images is not None
        self.store.add(image, ListedImage(image.name) if is_listed else None)
        for age, outcome in zip(reversed(range(len(outcomes))), outcomes, strict=True):
            at = NOW - 2 * _MINUTE - age * 15 * _MINUTE
            if isinstance(outcome, Failure):
                self.store.record_failure(image, outcome, at=at, duration=30.0)
            else:
                self.store.commit(image, outcome, at=at, duration=0.24)
                exhaust(self.store.review_pulls(image.registry.label))

    def routes(self, clock: ManualClock | None = None) -> Routes:
        """Return the routes that show it, each image being due in 13 minutes."""
        return Routes(
            exposition=self.exposition,
            exporter_metrics=ExporterMetrics(lambda: self.exposition.series),
            store=self.store,
            ready=lambda: True,
            clock=clock or ManualClock(NOW),
            next_poll=lambda _: NOW + 13 * _MINUTE,
        )


def tags(
    count: int, *, every: float = 1.0, size: int = 80_000_000, idle: float = 0.5
) -> tuple[Tag, ...]:
    """Return tags pushed every so many days, for two platforms, the newest pulled `idle` ago."""
    return tuple(_tag(number, every, size, idle) for number in range(count))


def _tag(number: int, every: float, size: int, idle: float) -> Tag:
    updated = NOW_MS - round((idle + number * every + 1) * _DAY_MS)
    pulled = 0 if number % 4 == 3 else updated + round(min(1.0, every) * _DAY_MS)
    platforms = tuple(
        Platform(
            f"sha256:{number:04x}{architecture}", "linux", architecture, "", size, pulled, updated
        )
        for architecture in ("amd64", "arm64")
    )
    name = "latest" if number == 0 else f"1.{300 - number}.0"
    return Tag(name, f"sha256:{number:064x}", size + number * 1000, updated, platforms)


def few() -> House:
    """Three images: one in use, one long unused, one that was pushed and never pulled."""
    house = House()
    house.registry("my-registry", images=3, public=False)
    house.polled(target("hello/world"), *[tags(7)] * 5)
    house.polled(target("legacy/report"), *[tags(64, every=9.0, idle=420.0, size=310_000_000)] * 5)
    new = Tag("0.1.0", "sha256:1", 9_000_000, NOW_MS - _DAY_MS, (Platform(pulled=0),))
    house.polled(target("try/out"), TIMED_OUT, TIMED_OUT, (new,))
    return house


def many(count: int = 3000) -> House:
    """Thousands of images in three registries; some fail, some wait, some are gone."""
    house = House()
    registries = ("prod-registry", "staging-registry", "tools")
    for name in registries:
        house.registry(name, images=count // 3, public=name == "tools")
    for number in range(count):
        _one_of_many(house, number, registries[number % 3])
    house.store.record_list_failure("staging-registry", TIMED_OUT)
    return house


def _one_of_many(house: House, number: int, registry: str) -> None:
    name = f"{_TEAMS[number % 7]}/{_PARTS[number // 7 % 7]}-{number // 49}"
    image = target(name, registry)
    size = round(20_000_000 * math.exp(number % 41 / 10))
    listing = tags(1 + number % 37, every=1 + number % 11, size=size, idle=number % 97 * 3.1)
    if number % 250 == 17:
        house.store.add(image)
    elif number % 200 == 3:
        house.polled(image, listing, listing, DENIED, DENIED, DENIED)
    elif number % 300 == 5:
        house.polled(image, listing, TIMED_OUT, listing, TIMED_OUT)
    else:
        house.polled(image, *[listing] * (1 + number % 5))


def failing(count: int = 40) -> House:
    """Nothing but failures, from the first poll on."""
    house = House()
    house.registry("my-registry")
    house.store.record_list_failure("my-registry", DENIED)
    for number in range(count):
        failure = TIMED_OUT if number % 9 == 4 else DENIED
        house.polled(target(f"{_TEAMS[number % 7]}/app-{number}"), *[failure] * 5)
    return house


def empty() -> House:
    """A registry that was listed and has no image."""
    house = House()
    house.registry("my-registry", images=0)
    return house


def first_round() -> House:
    """The first minutes: two registries without a list, and images that wait for their polls."""
    house = House()
    for name in ("my-registry", "tools"):
        house.registry(name)
        for number in range(3):
            house.store.add(target(f"{_TEAMS[number]}/app", name))
    house.polled(target("hello/world"), tags(7))
    return house


def outage() -> House:
    """The API has been out of reach for an hour; some images and a registry do not exist."""
    house = House()
    house.registry("my-registry", images=4, public=False)
    house.registry("my-registri")
    house.store.record_list_failure("my-registri", NOT_FOUND)
    for number, name in enumerate(("hello/world", "shop/api", "legacy/report")):
        listing = tags(9 * number + 2, every=9.0, idle=200.0 * number)
        house.polled(target(name), listing, *[UNREACHABLE] * 4)
    gone = target("shop/old")
    house.polled(gone, tags(3), NOT_FOUND)
    typed_wrong = target("helo/world")
    house.polled(typed_wrong, NOT_FOUND)
    house.store.add(target("shop/new"))
    names = ("hello/world", "shop/api", "shop/new", "legacy/report", "left/out")
    there = {name: ListedImage(name) for name in names}
    for _ in range(2):
        exhaust(house.store.record_image_list("my-registry", there, at=NOW - 70 * _MINUTE))
    house.store.record_list_failure("my-registry", UNREACHABLE)
    return house


def registries(count: int = 9) -> House:
    """Many registries with an image each; one has globs that match nothing."""
    house = House()
    for number in range(count):
        name = f"team-{number}"
        house.registry(name, images=1, public=number == 2)
        house.polled(target("app", name), tags(3 + number, every=20.0, idle=number * 30.0))
    mistyped = registry_target("mistyped", rules=(rule("shpo/*"),), exclude=("*/cahce",))
    house.store.add_registry(mistyped)
    listed = {"shop/api": ListedImage("shop/api")}
    exhaust(house.store.record_image_list("mistyped", listed, at=NOW - _MINUTE))
    return house


SCENES: dict[str, Callable[[], House]] = {
    "few": few,
    "many": many,
    "failing": failing,
    "empty": empty,
    "first-round": first_round,
    "outage": outage,
    "registries": registries,
}
