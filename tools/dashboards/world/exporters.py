"""What exporters publish of a world's registries, of their API requests and of themselves."""

from collections.abc import Iterator
from math import exp, inf

from ncr_exporter.metrics.families.exporter import BUCKETS, REASONS
from ncr_exporter.ncr.paths import OPERATIONS
from tools.dashboards.world.images import Registry
from tools.dashboards.world.series import (
    DAY,
    DOWN,
    INTERVAL,
    OUTAGE,
    WEEK,
    Series,
    Value,
    World,
    number_of,
    still,
)

_THROTTLED = (3 * 3600, 2 * 3600)
"""Seconds before the end between which the API throttled the first account."""
_MEAN = {"registry_list": 0.05, "image_list": 0.07, "tag_list": 0.11}
"""Seconds that a request takes."""
_PAGE = 100


def of_exporters(world: World) -> Iterator[Series]:
    """Yield every series that is not about an image or a tag."""
    for exporter in range(len(world.cast.exporters)):
        labels = {"instance": world.cast.exporters[exporter]}
        yield from _itself(world, exporter, labels)
        yield from _durations(world, labels)
        for registry in world.cast.registries:
            own = {**labels, "registry": registry.name}
            yield from _registry(world, registry, own)
            yield from _requests(world, registry, exporter, own)


def targets(world: World) -> Iterator[Series]:
    """Yield what Prometheus itself says of the exporters; it goes on when they are down."""
    down = DOWN if world.outage == "exporter" else 0
    for instance in world.cast.exporters:
        for name, value in {
            "up": lambda ago: float(ago >= down),
            "scrape_duration_seconds": lambda ago: 0.02 if ago >= down else 10.0,
        }.items():
            yield Series({"__name__": name, "instance": instance}, value, smooth=True)


def _itself(world: World, exporter: int, labels: dict[str, str]) -> Iterator[Series]:
    images = sum(image.exporter == exporter for image in world.cast.images)
    started = world.end - 20 * DAY
    values: dict[str, Value] = {
        "ncr_exporter_series": still(images * 85.0),
        "ncr_exporter_config_hash": still(2876543210),
        "ncr_exporter_config_last_reload_successful": still(1),
        "ncr_exporter_config_last_reload_success_timestamp_seconds": still(world.end - 4 * 3600),
        "ncr_exporter_open_connections": lambda ago: 2.0 + number_of(str(ago // 600)) % 3,
        "ncr_exporter_log_lines_dropped_total": still(0),
        "ncr_exporter_state_last_write_timestamp_seconds": lambda ago: world.end - ago - ago % 300,
        "ncr_exporter_state_write_failures_total": still(0),
        "process_start_time_seconds": still(started),
        "process_cpu_seconds_total": lambda ago: (WEEK - ago) * images * 2e-5,
        "process_resident_memory_bytes": lambda ago: 45e6 + images * 4e4 + ago % 9000 * 100,
    }
    for name, value in values.items():
        yield Series({"__name__": name, **labels}, value, smooth=True)
    build = {"__name__": "ncr_exporter_build_info", "version": "1.4.0", "python": "3.13.5"}
    yield Series({**build, **labels}, still(1))


def _registry(world: World, registry: Registry, labels: dict[str, str]) -> Iterator[Series]:
    images = sum(image.registry == registry for image in world.cast.images)
    failing = world.fails_since(registry)
    values: dict[str, Value] = {
        "ncr_registry_up": lambda ago: float(ago >= failing),
        "ncr_registry_images": still(images + 3),
        "ncr_registry_last_success_timestamp_seconds": lambda ago: (
            world.end - max(ago, failing) // INTERVAL * INTERVAL
        ),
        "ncr_registry_public": still(float(registry.public)),
        "ncr_registry_scan_on_push": still(float(registry.scanned)),
    }
    for name, value in values.items():
        yield Series({"__name__": name, **labels}, value)
    where = {"region": "kr", "zone": "public"}
    yield Series({"__name__": "ncr_registry_info", **labels, **where}, still(1))
    matched = {"*": images, "wbe/*": 0} if registry.mistyped else {"*": images}
    for glob, count in matched.items():
        yield Series({"__name__": "ncr_registry_glob_images", **labels, "glob": glob}, still(count))


def _requests(
    world: World, registry: Registry, exporter: int, labels: dict[str, str]
) -> Iterator[Series]:
    mine = [image for image in world.cast.images if image.registry == registry]
    pages = sum(1 + image.tags // _PAGE for image in mine if image.exporter == exporter)
    rates = {
        "registry_list": 1 / INTERVAL,
        "image_list": (1 + len(mine) // _PAGE) / INTERVAL,
        "tag_list": pages / INTERVAL,
    }
    for operation in OPERATIONS:
        rate, own = rates[operation], {**labels, "operation": operation}
        counters: dict[str, Value] = {
            "ncr_api_requests_total": _growing(rate),
            "ncr_api_retries_total": _growing(rate, one_in=500),
            "ncr_api_malformed_records_total": still(0),
            "ncr_api_count_mismatches_total": still(0),
        }
        for name, value in counters.items():
            yield Series({"__name__": name, **own}, value, smooth=True)
        for reason in REASONS:
            failed = {"__name__": "ncr_api_request_failures_total", "reason": reason, **own}
            yield Series(failed, _failures(world, registry, reason, rate), smooth=True)
    throttled = _within(*_THROTTLED) if registry.account == 0 else still(0)
    account: dict[str, Value] = {
        "ncr_api_throttled_seconds_total": lambda ago: 0.8 * throttled(ago),
        "ncr_api_clock_skew_seconds": still(0.2 + number_of(registry.name) % 7 / 10),
        "ncr_api_requests_per_second_limit": still(2.0 if registry.account else 5.0),
        "ncr_api_requests_per_second_planned": still(round(_planned(world, registry, exporter), 9)),
    }
    for name, value in account.items():
        yield Series({"__name__": name, **labels}, value, smooth=True)


def _planned(world: World, registry: Registry, exporter: int) -> float:
    """Return the requests per second that all registries of the account need."""
    return sum(
        (1 + image.tags // _PAGE) / INTERVAL
        for image in world.cast.images
        if image.registry.account == registry.account and image.exporter == exporter
    )


def _failures(world: World, registry: Registry, reason: str, rate: float) -> Value:
    """Return how many requests failed for this reason so far."""
    if reason == "connection" and world.outage == "api":
        return lambda ago: rate * _within(OUTAGE, 0)(ago) * 5
    if reason == "permission" and registry.failing:
        return lambda ago: rate * _within(world.fails_since(registry), 0)(ago)
    if reason == "throttled" and registry.account == 0:
        return lambda ago: rate * _within(*_THROTTLED)(ago) * 2
    if reason == "timeout":
        return _growing(rate, one_in=700)
    return still(0)


def _growing(rate: float, one_in: int = 1) -> Value:
    """Return a counter, or how often it reached another `one_in`."""
    return lambda ago: rate * (WEEK - ago) // one_in if one_in > 1 else rate * (WEEK - ago)


def _within(first: float, last: float) -> Value:
    """Return how many seconds between the two have passed."""
    return lambda ago: max(0.0, first - max(ago, last))


def _durations(world: World, labels: dict[str, str]) -> Iterator[Series]:
    for operation, mean in _MEAN.items():
        rate = len(world.cast.images) / INTERVAL / (1 if operation == "tag_list" else 30)
        own = {**labels, "operation": operation}
        for bound in (*BUCKETS, inf):
            name = "ncr_api_request_duration_seconds_bucket"
            le = "+Inf" if bound == inf else f"{bound}"
            below = _growing(rate * (1 - exp(-bound / mean)))
            yield Series({"__name__": name, "le": le, **own}, below, smooth=True)
