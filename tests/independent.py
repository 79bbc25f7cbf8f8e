"""The values of the contract computed a second time, straight from NCR's JSON.

Shares no code with the program, so that one mistake cannot hide in both. Written for clearness:
it goes over all records once per value.
"""

import random
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
TagValues = dict[tuple[str, tuple[str, ...]], float]
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Rules:
    """What the configuration asks for."""

    stale_after_ms: int
    keep_recent: int
    keep_tags: set[str]
    tag_size_limit: int
    tags_limit: int
    tag_series: int


def expected_image(tags: list[Json]) -> dict[str, float]:
    """Return name → value of the per-image families; a name that is missing must be absent."""
    manifests: dict[str, int] = {}
    loose = 0
    for tag in tags:
        if not tag["images"]:
            loose += tag["full_size"] or 0
        for record in tag["images"]:
            if record.get("digest"):
                manifests[record["digest"]] = record["size"]
            else:
                loose += record["size"]
    pulls = [r["latest_pulled"] for t in tags for r in t["images"] if r.get("latest_pulled")]
    updates = [u for t in tags if (u := updated(t))]
    sizes = {t["name"]: bytes_ for t in tags if (bytes_ := size(t))}
    newest = newest_first(tags)[0]["name"]
    return {
        "ncr_image_tags": len({t["name"] for t in tags}),
        "ncr_image_size_bytes": sum(manifests.values()) + loose,
        "ncr_image_largest_tag_size_bytes": max(sizes.values()),
        "ncr_image_newest_tag_size_bytes": sizes[newest],
        "ncr_image_last_pulled_timestamp_seconds": max(pulls) / 1000,
        "ncr_image_last_updated_timestamp_seconds": max(updates) / 1000,
        "ncr_image_last_used_timestamp_seconds": max(pulls + updates) / 1000,
        "ncr_image_never_pulled_tags": sum(
            bool(t["images"]) and all(r["latest_pulled"] == 0 for r in t["images"]) for t in tags
        ),
    }


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
    freed: dict[object, int] = {}
    for t in tags:
        if t["name"] in stale:
            for place, record in enumerate(t["images"]):
                digest = record.get("digest")
                if digest is None or digest not in live:
                    freed[digest or (t["name"], place)] = record["size"]
    return {
        "ncr_image_stale_tags": len(stale),
        "ncr_image_reclaimable_bytes": sum(freed.values()),
        "ncr_image_stale_after_seconds": rules.stale_after_ms / 1000,
        "ncr_image_tag_size_limit_bytes": rules.tag_size_limit,
        "ncr_image_tags_limit": rules.tags_limit,
        "ncr_image_oversized_tags": sum((size(t) or 0) > rules.tag_size_limit for t in tags),
        "ncr_image_tags_without_series": len(tags) - len(exposed(tags, rules)),
    }


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
        name, pulls = t["name"], [r["latest_pulled"] for r in t["images"]]
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
            ("ncr_tag_platform_last_pulled_timestamp_seconds", record["latest_pulled"] / 1000),
        ):
            if value:
                found[family, labels] = max(found.get((family, labels), 0), value)
    return found


def exposed(tags: list[Json], rules: Rules) -> list[Json]:
    """Return the tags with series: the newest and the longest unused."""
    newest = newest_first(tags)[: rules.tag_series]
    known = [t for t in tags if used(t) is not None]
    idle = sorted(known, key=lambda t: (used(t), t["name"]))[: rules.tag_series]
    names = {t["name"] for t in newest + idle}
    return [t for t in tags if t["name"] in names]


def newest_first(tags: list[Json]) -> list[Json]:
    """Return the tags, the most recently updated first."""
    return sorted(tags, key=lambda t: (-(updated(t) or 0), t["name"]))


def used(tag: Json) -> int | None:
    """Return the newest pull or update in ms; None where nothing is known of pulls."""
    if not tag["images"]:
        return None
    pulls: list[int] = [record["latest_pulled"] for record in tag["images"]]
    return max([*pulls, updated(tag) or 0])


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
