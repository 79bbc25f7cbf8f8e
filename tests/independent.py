"""The values of the contract computed a second time, straight from NCR's JSON.

Shares no code with the program, so that one mistake cannot hide in both. Written for clearness:
it goes over all records once per value.
"""

import random
from typing import Any

Json = dict[str, Any]
DAY_MS = 86_400_000


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
    newest = min((-(updated(t) or 0), t["name"]) for t in tags)[1]
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


def busy_image(now_ms: int, tags: int = 385) -> list[Json]:
    """Return made-up tags as odd as those of a real, busy image; the same for the same time.

    Aliases share digests, some tags have no platforms, some a full_size of 0 although platforms
    exist, some no update time, some records no digest, many were never pulled.
    """
    chance = random.Random(385)  # noqa: S311 -- the same made-up data each time
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
