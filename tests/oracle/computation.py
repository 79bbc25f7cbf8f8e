"""The values of the contract computed a second time, straight from NCR's JSON.

Shares no code with the program, so that one mistake cannot hide in both. Written for clearness:
it goes over all records once per value.
"""

import random
from dataclasses import dataclass
from math import inf
from typing import Any

Json = dict[str, Any]
TagValues = dict[tuple[str, tuple[str, ...]], float]
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Rules:
    """What the configuration asks for; None where it asks for no limit."""

    stale_after_ms: float
    keep_recent: int
    keep_tags: set[str]
    tag_size_limit: int | None
    tags_limit: int | None
    tag_series: int


def cleaned(tags: list[Json], now_ms: float) -> list[Json]:
    """Return the tags with every number that cannot be true as None."""

    def amount(value: int | None) -> int | None:
        return value if value is not None and 0 <= value <= 2**53 else None

    def moment(value: int | None) -> int | None:
        past = value is not None and 946_684_800_000 <= value <= now_ms + DAY_MS
        return value if past else None

    def record(given: Json) -> Json:
        pulled = given["latest_pulled"]
        return {
            **given,
            "size": amount(given["size"]),
            "updated": moment(given["updated"]),
            "latest_pulled": 0 if pulled == 0 else moment(pulled),
        }

    return [
        {
            **tag,
            "full_size": amount(tag["full_size"]),
            "last_updated": moment(tag["last_updated"]),
            "images": [record(given) for given in tag["images"]],
        }
        for tag in tags
    ]


def expected_image(tags: list[Json]) -> dict[str, float]:
    """Return name → value of the per-image families; a name that is missing must be absent."""
    manifests: dict[object, list[int | None]] = {}
    for tag in tags:
        if not tag["images"]:
            manifests[tag["name"], None] = [tag["full_size"]]
        for place, record in enumerate(tag["images"]):
            key = record.get("digest") or (tag["name"], place)
            manifests.setdefault(key, []).append(record["size"])
    pulls = [r["latest_pulled"] for t in tags for r in t["images"] if r.get("latest_pulled")]
    updates = [u for t in tags if (u := updated(t))]
    sizes = {t["name"]: bytes_ for t in tags if (bytes_ := size(t))}
    newest = next((t["name"] for t in newest_first(tags) if updated(t)), None)
    found = {
        "ncr_image_tags": len({t["name"] for t in tags}),
        "ncr_image_size_bytes": _sum_of_largest(manifests),
        "ncr_image_largest_tag_size_bytes": max(sizes.values(), default=None),
        "ncr_image_newest_tag_size_bytes": sizes.get(newest),
        "ncr_image_last_pulled_timestamp_seconds": _seconds(max(pulls, default=None)),
        "ncr_image_last_updated_timestamp_seconds": _seconds(max(updates, default=None)),
        "ncr_image_last_used_timestamp_seconds": _seconds(max(pulls + updates, default=None)),
        "ncr_image_never_pulled_tags": sum(
            bool(t["images"]) and all(r["latest_pulled"] == 0 for r in t["images"]) for t in tags
        ),
    }
    return {name: value for name, value in found.items() if value is not None}


def _sum_of_largest(manifests: dict[object, list[int | None]]) -> int | None:
    """Return the bytes of manifests, each as large as it was said to be at the most."""
    known = {key: [s for s in sizes if s is not None] for key, sizes in manifests.items()}
    if manifests and not any(known.values()):
        return None
    return sum(max(sizes) for sizes in known.values() if sizes)


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def size(tag: Json) -> int | None:
    """Return the bytes of a tag."""
    platforms: list[int] = [record["size"] for record in tag["images"] if record["size"]]
    if tag["full_size"]:
        return int(tag["full_size"])
    return max(platforms) if platforms else None


def updated(tag: Json) -> int | None:
    """Return when a tag was updated, in ms."""
    if tag["last_updated"] is not None:
        return int(tag["last_updated"])
    times: list[int] = [record["updated"] for record in tag["images"] if record["updated"]]
    return max(times) if times else None


def expected_staleness(tags: list[Json], now_ms: int, rules: Rules) -> dict[str, float]:
    """Return name → value of what follows from the policy, for an image with pull times."""
    stale = stale_names(tags, now_ms, rules)
    live = {record.get("digest") for t in tags if t["name"] not in stale for record in t["images"]}
    freed: dict[object, list[int | None]] = {}
    for t in tags:
        if t["name"] in stale:
            for place, record in enumerate(t["images"]):
                digest = record.get("digest")
                if digest is None or digest not in live:
                    freed.setdefault(digest or (t["name"], place), []).append(record["size"])
    reclaimable = _sum_of_largest(freed)
    found = {"ncr_image_stale_tags": len(stale), **expected_limits(tags, rules)}
    return found if reclaimable is None else {**found, "ncr_image_reclaimable_bytes": reclaimable}


def expected_limits(tags: list[Json], rules: Rules) -> dict[str, float]:
    """Return the thresholds, and what is known against them, whatever is known of pulls."""
    return {
        **expected_thresholds(rules),
        "ncr_image_tags_without_series": len(tags) - len(exposed(tags, rules)),
        **(
            {}
            if rules.tag_size_limit is None
            else {
                "ncr_image_oversized_tags": sum((size(t) or 0) > rules.tag_size_limit for t in tags)
            }
        ),
    }


def expected_thresholds(rules: Rules) -> dict[str, float]:
    """Return the thresholds in force, which do not depend on any listing."""
    found = {
        "ncr_image_stale_after_seconds": rules.stale_after_ms / 1000,
        "ncr_image_tag_size_limit_bytes": rules.tag_size_limit,
        "ncr_image_tags_limit": rules.tags_limit,
    }
    return {name: value for name, value in found.items() if value not in {None, inf}}


def stale_names(tags: list[Json], now_ms: int, rules: Rules) -> set[str]:
    """Return the names of the stale tags."""
    kept = {t["name"] for t in newest_first(tags)[: rules.keep_recent]} | rules.keep_tags
    return {
        t["name"]
        for t in tags
        if t["name"] not in kept
        and (last := used(t)) is not None
        and now_ms - last > rules.stale_after_ms
    }


def expected_tags(tags: list[Json], now_ms: int, rules: Rules) -> TagValues:
    """Return (name, values of the labels after `image`) → value of the per-tag families."""
    stale = stale_names(tags, now_ms, rules)
    found: TagValues = {}
    for t in exposed(tags, rules):
        name, pulls = t["name"], [r["latest_pulled"] or 0 for r in t["images"]]
        found["ncr_tag_info", (name, t.get("digest") or "")] = 1.0
        if bytes_ := size(t):
            found["ncr_tag_size_bytes", (name,)] = bytes_
        if any(pulls):
            found["ncr_tag_last_pulled_timestamp_seconds", (name,)] = max(pulls) / 1000
        if moment := updated(t):
            found["ncr_tag_last_updated_timestamp_seconds", (name,)] = moment / 1000
        if used(t) is not None:
            found["ncr_tag_stale", (name,)] = float(name in stale)
        found.update(_expected_platforms(t))
    return found


def _expected_platforms(tag: Json) -> TagValues:
    """Return the same per platform; of equal platforms the larger and the later value."""
    found: TagValues = {}
    for record in tag["images"]:
        labels = (tag["name"], record["os"], record["architecture"], record["variant"] or "")
        for family, value in (
            ("ncr_tag_platform_size_bytes", record["size"]),
            (
                "ncr_tag_platform_last_pulled_timestamp_seconds",
                _seconds(record["latest_pulled"]),
            ),
        ):
            if value:
                found[family, labels] = max(found.get((family, labels), 0), value)
    return found


def exposed(tags: list[Json], rules: Rules) -> list[Json]:
    """Return the tags with series: the newest and the longest unused, those unknown last."""
    newest = newest_first(tags)[: rules.tag_series]
    idle = sorted(tags, key=lambda t: (used(t) is None, used(t) or 0, t["name"]))
    names = {t["name"] for t in newest + idle[: rules.tag_series]}
    return [t for t in tags if t["name"] in names]


def newest_first(tags: list[Json]) -> list[Json]:
    """Return the tags, the most recently updated first."""
    return sorted(tags, key=lambda t: (-(updated(t) or 0), t["name"]))


def used(tag: Json) -> int | None:
    """Return the newest pull or update in ms; None where nothing is known of pulls."""
    pulls: list[int | None] = [record["latest_pulled"] for record in tag["images"]]
    if not any(pulls) and (None in pulls or not pulls):
        return None
    return max([*(pull or 0 for pull in pulls), updated(tag) or 0]) or None


def has_pulls(tags: list[Json]) -> bool:
    """Tell whether any record has the time of a pull."""
    return any(record["latest_pulled"] for tag in tags for record in tag["images"])


def busy_image(now_ms: int, tags: int = 385, seed: int = 385) -> list[Json]:
    """Return made-up tags as odd as those of a real, busy image; a time and a seed decide which.

    Aliases share digests, some tags have no platforms, some a full_size of 0 although platforms
    exist, some no update time, some records no digest, many were never pulled.
    """
    chance = random.Random(seed)  # noqa: S311 -- the same made-up data each time
    listing: list[Json] = []
    for number in range(tags):
        if number % 7 == 6:
            listing.append({**listing[-1], "name": f"alias-{number}"})
            continue
        listing.append(_tag(chance, number, now_ms))
    return listing


def _tag(chance: random.Random, number: int, now_ms: int) -> Json:
    born = now_ms - chance.randrange(1, 3000) * DAY_MS
    count = chance.choice([0, 1, 1, 2, 5, 8])
    platforms = [_platform(chance, f"{number}-{i}", born, now_ms) for i in range(count)]
    full_size = platforms[0]["size"] if platforms else chance.randrange(10**6, 10**8)
    return {
        "creator": "someone",
        "digest": None if number % 3 else f"sha256:{number:064x}",
        "full_size": 0 if platforms and number % 20 == 0 else full_size,
        "id": number,
        "images": platforms,
        "last_updated": None if platforms and number % 50 == 1 else born,
        "name": f"1.{number // 10}.{number % 10}",
        "v2": True,
    }


def _platform(chance: random.Random, digest: str, born: int, now_ms: int) -> Json:
    pulled = 0 if chance.random() < 0.4 else chance.randrange(born, now_ms)
    record = {
        "architecture": chance.choice(["amd64", "arm64"]),
        "digest": f"sha256:{digest}",
        "latest_pulled": pulled,
        "os": "linux",
        "size": chance.randrange(10**6, 2 * 10**8),
        "updated": born,
        "variant": None,
    }
    return {k: v for k, v in record.items() if k != "digest"} if digest.endswith("7") else record
