"""What contract §5 has published of a model: every sample about registries, images and tags.

Worked out anew each time, from what was seen alone; shares no code with the program.
"""

from collections.abc import Iterator
from math import inf

from tests.oracle.computation import (
    Rules,
    believes,
    expected_image,
    expected_limits,
    expected_staleness,
    expected_tags,
    expected_thresholds,
)
from tests.oracle.model import Model
from tests.oracle.seen import ModelImage, ModelRegistry, Moment
from tests.oracle.settings import EVERY
from tests.support.expositions import Key

AGE = "ncr_image_last_pulled_age_seconds"
Values = dict[str, float | None]


def published(model: Model, now: Moment) -> dict[Key, float]:
    """Return name and labels → value."""
    model.expire(now.mono)
    return dict(_samples(model, now.wall))


def _samples(model: Model, wall: float) -> Iterator[tuple[Key, float]]:
    if model.settings.every is not None:
        yield from _lines({"registry": EVERY}, _of_lists(model.star_up, model.star_success))
    for label, registry in model.registries.items():
        relists = model.settings.relist_after is not None
        yield from _registry(label, registry, relists=relists)
        for name, image in registry.images.items():
            labels, rules = {"registry": label, "image": name}, model.wanted(label).rules_of(name)
            yield from _lines(labels, _polling(registry, image, model.settings.interval))
            yield from _lines(labels, {**expected_thresholds(rules)})
            if relists:
                yield from _lines(labels, {"ncr_image_unchanged_polls_total": image.unchanged})
            yield from _inventory(labels, registry, image, rules, wall)
        for name in registry.deleted:
            yield from _lines({"registry": label, "image": name}, {"ncr_image_present": 0})
        for glob, count in registry.matched.items():
            yield from _lines(
                {"registry": label, "glob": glob}, {"ncr_registry_glob_images": count}
            )
        for glob, count in registry.excluded.items():
            yield from _lines(
                {"registry": label, "glob": glob}, {"ncr_registry_excluded_images": count}
            )


def _registry(label: str, registry: ModelRegistry, *, relists: bool) -> Iterator[tuple[Key, float]]:
    values = _of_lists(registry.up, registry.last_success)
    values["ncr_registry_images"] = registry.count
    if relists:
        values["ncr_registry_unlisted_changes_total"] = registry.unlisted_changes
    hosts = {"public": f"{label}.kr.ncr.ntruss.com"}
    if registry.described is not None:
        hosts["private"] = registry.described.private_host
        values["ncr_registry_public"] = registry.described.public
    yield from _lines({"registry": label}, values)
    where = {"registry": label, "region": "kr", "zone": "public"}
    yield from _lines(where, {"ncr_registry_info": 1})
    for endpoint, host in hosts.items():
        place = {"registry": label, "host": host, "endpoint": endpoint, "access": endpoint}
        yield from _lines(place, {"ncr_registry_host_info": 1})


def _of_lists(up: bool | None, last_success: float | None) -> Values:  # noqa: FBT001 -- a value
    return {"ncr_registry_up": up, "ncr_registry_last_success_timestamp_seconds": last_success}


def _polling(registry: ModelRegistry, image: ModelImage, interval: float) -> Values:
    present: bool | None = None
    if image.gone(denied=registry.denied):
        present = False
    elif image.listed or image.last_success is not None:
        present = True
    return {
        "ncr_image_up": image.up,
        "ncr_image_present": present,
        "ncr_image_last_success_timestamp_seconds": image.last_success,
        "ncr_image_poll_interval_seconds": interval,
        "ncr_image_poll_duration_seconds": image.took,
        "ncr_image_polls_total": image.polls,
        "ncr_image_poll_failures_total": image.failures,
        "ncr_image_pulls_total": image.pulls,
    }


def _inventory(
    labels: dict[str, str], registry: ModelRegistry, image: ModelImage, rules: Rules, wall: float
) -> Iterator[tuple[Key, float]]:
    tags, at = image.tags, image.last_success
    if tags is None or at is None:
        return
    known = believes(tags, image.pulls, registry_has_pulls=registry.has_pulls)
    now_ms = round(at * 1000)
    values: Values = {
        **expected_image(tags, rules),
        **expected_limits(tags, rules, believed=known),
    }
    if rules.stale_after_ms != inf:
        values.update(expected_staleness(tags, now_ms, rules, believed=known))
    if not known:
        del values["ncr_image_never_pulled_tags"]
    pulled = values.get("ncr_image_last_pulled_timestamp_seconds")
    values[AGE] = None if pulled is None else round(max(0.0, wall - pulled), 3)
    yield from _lines(labels, values)
    for (family, (tag, *more)), value in expected_tags(tags, now_ms, rules, believed=known).items():
        names = ("digest",) if family == "ncr_tag_info" else ("os", "architecture", "variant")
        given = dict(zip(names, more, strict=False))
        yield from _lines({**labels, "tag": tag, **given}, {family: value})


def _lines(labels: dict[str, str], values: Values) -> Iterator[tuple[Key, float]]:
    for name, value in values.items():
        if value is not None:
            yield (name, tuple(sorted(labels.items()))), float(value)
