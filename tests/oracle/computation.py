"""The values of the contract computed a second time, straight from NCR's JSON.

Shares no code with the program, so that one mistake cannot hide in both. Written for clearness:
it goes over all records once per value.
"""

import random
import re
from dataclasses import dataclass
from math import inf
from typing import Any

Json = dict[str, Any]
TagValues = dict[tuple[str, tuple[str, ...]], float]
DAY_MS = 86_400_000


RECORDED_SINCE_MS = 1_700_697_600_000
"""2023-11-23: NCR records when a tag is pulled since that day."""
ATTACHED = re.compile(r"sha256-([0-9a-f]{64})(\.sig|\.att|\.sbom)?")


@dataclass(frozen=True)
class Rules:
    """What the configuration asks for; None where it asks for no limit."""

    stale_after_ms: float
    keep_recent: int
    keep_tags: set[str]
    tag_size_limit: int | None
    tags_limit: int | None
    tag_series: int
    ignore_tags: frozenset[str] = frozenset()


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
            "images": [record(given) for given in tag["images"] if given["os"] != "unknown"],
        }
        for tag in tags
    ]


def own_tags(tags: list[Json], rules: Rules) -> list[Json]:
    """Return the tags that are judged: neither attached nor ignored."""
    return [
        tag
        for tag in tags
        if not ATTACHED.fullmatch(tag["name"]) and tag["name"] not in rules.ignore_tags
    ]


def expected_image(tags: list[Json], rules: Rules) -> dict[str, float]:
    """Return name → value of the per-image families; a name that is missing must be absent."""
    tags = [{**t, "images": [r for r in t["images"] if r["os"] != "unknown"]} for t in tags]
    manifests: dict[object, list[int | None]] = {}
    for tag in tags:
        if not tag["images"]:
            manifests[tag["name"], None] = [tag["full_size"]]
        for place, record in enumerate(tag["images"]):
            key = record.get("digest") or (tag["name"], place)
            manifests.setdefault(key, []).append(record["size"])
    own = own_tags(tags, rules)
    pulls = [pull for t in own if (pull := pulled(t, tags))]
    updates = [u for t in own if (u := updated(t))]
    sizes = {t["name"]: bytes_ for t in own if (bytes_ := size(t))}
    newest = next((t["name"] for t in newest_first(own) if updated(t)), None)
    found = {
        "ncr_image_tags": len({t["name"] for t in tags}),
        "ncr_image_attached_tags": sum(bool(ATTACHED.fullmatch(t["name"])) for t in tags),
        "ncr_image_size_bytes": _sum_of_largest(manifests),
        "ncr_image_largest_tag_size_bytes": max(sizes.values(), default=None),
        "ncr_image_newest_tag_size_bytes": sizes.get(newest),
        "ncr_image_last_pulled_timestamp_seconds": _seconds(max(pulls, default=None)),
        "ncr_image_last_updated_timestamp_seconds": _seconds(max(updates, default=None)),
        "ncr_image_last_used_timestamp_seconds": _seconds(max(pulls + updates, default=None)),
        "ncr_image_never_pulled_tags": sum(
            pulled(t, tags) == 0 and (updated(t) or 0) >= RECORDED_SINCE_MS for t in own
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
    """Return the bytes of a tag: its largest platform's, at least what it says itself."""
    sizes = [record["size"] or 0 for record in tag["images"] if record["os"] != "unknown"]
    return max([*sizes, tag["full_size"] or 0]) or None


def updated(tag: Json) -> int | None:
    """Return when a tag was updated, in ms."""
    if tag["last_updated"] is not None:
        return int(tag["last_updated"])
    times: list[int] = [record["updated"] for record in tag["images"] if record["updated"]]
    return max(times) if times else None


def expected_staleness(
    tags: list[Json], now_ms: int, rules: Rules, *, believed: bool = True
) -> dict[str, float]:
    """Return name → value of what follows from the policy; nothing where that is not known."""
    states = staleness(tags, now_ms, rules, believed=believed)
    own = [t["name"] for t in own_tags(tags, rules)]
    if not believed and any(states[name] is None for name in own):
        return {}
    stale = {name for name, is_stale in states.items() if is_stale}
    live = {record.get("digest") for t in tags if t["name"] not in stale for record in t["images"]}
    freed: dict[object, list[int | None]] = {}
    for t in tags:
        if t["name"] in stale:
            if not t["images"]:
                freed[t["name"], None] = [t["full_size"]]
            for place, record in enumerate(t["images"]):
                digest = record.get("digest")
                if digest is None or digest not in live:
                    freed.setdefault(digest or (t["name"], place), []).append(record["size"])
    reclaimable = _sum_of_largest(freed)
    found: dict[str, float] = {"ncr_image_stale_tags": sum(name in stale for name in own)}
    return found if reclaimable is None else {**found, "ncr_image_reclaimable_bytes": reclaimable}


def expected_limits(tags: list[Json], rules: Rules, *, believed: bool = True) -> dict[str, float]:
    """Return the thresholds, and what is known against them, whatever is known of pulls."""
    return {
        **expected_thresholds(rules),
        "ncr_image_tags_without_series": (
            len(own_tags(tags, rules)) - len(exposed(tags, rules, believed=believed))
        ),
        **(
            {}
            if rules.tag_size_limit is None
            else {
                "ncr_image_oversized_tags": sum(
                    (size(t) or 0) > rules.tag_size_limit for t in own_tags(tags, rules)
                )
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


def staleness(
    tags: list[Json], now_ms: int, rules: Rules, *, believed: bool = True
) -> dict[str, bool | None]:
    """Return name → whether the tag is stale; None where that is not known."""
    own = own_tags(tags, rules)
    kept = {t["name"] for t in newest_first(own)[: rules.keep_recent]} | rules.keep_tags
    oldest = now_ms - rules.stale_after_ms
    found: dict[str, bool | None] = {}
    for t in tags:
        first, last = bounds(t, tags, believed=believed)
        if t["name"] in rules.ignore_tags or t["name"] in kept or (first or 0) >= oldest:
            found[t["name"]] = False
        else:
            found[t["name"]] = True if last is not None and last < oldest else None
    for _ in range(4):  # an attachment may belong to another
        for t in tags:
            if attached := ATTACHED.fullmatch(t["name"]):
                found[t["name"]] = _of_subject(f"sha256:{attached[1]}", tags, found, t["name"])
    return found


def _of_subject(
    digest: str, tags: list[Json], found: dict[str, bool | None], name: str
) -> bool | None:
    subjects = [t["name"] for t in tags if digest in manifests_of(t)]
    states = [None if subject == name else found[subject] for subject in subjects]
    if False in states:
        return False
    return True if states and all(states) else None


def expected_tags(
    tags: list[Json], now_ms: int, rules: Rules, *, believed: bool = True
) -> TagValues:
    """Return (name, values of the labels after `image`) → value of the per-tag families."""
    stale = staleness(tags, now_ms, rules, believed=believed)
    found: TagValues = {}
    for t in exposed(tags, rules, believed=believed):
        name = t["name"]
        found["ncr_tag_info", (name, t.get("digest") or "")] = 1.0
        if bytes_ := size(t):
            found["ncr_tag_size_bytes", (name,)] = bytes_
        if pull := pulled(t, tags):
            found["ncr_tag_last_pulled_timestamp_seconds", (name,)] = pull / 1000
        if moment := updated(t):
            found["ncr_tag_last_updated_timestamp_seconds", (name,)] = moment / 1000
        if (is_stale := stale[name]) is not None and rules.stale_after_ms != inf:
            found["ncr_tag_stale", (name,)] = float(is_stale)
        found.update(_expected_platforms(t))
    return found


def _expected_platforms(tag: Json) -> TagValues:
    """Return the values of a tag's platforms; of equal platforms the larger and the later one."""
    found: TagValues = {}
    for record in tag["images"]:
        if record["os"] == "unknown":
            continue
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


def exposed(tags: list[Json], rules: Rules, *, believed: bool = True) -> list[Json]:
    """Return the tags with series: the newest and the longest unused, those unknown last."""
    own = own_tags(tags, rules)
    newest = newest_first(own)[: rules.tag_series]

    def idle(t: Json) -> tuple[bool, int, str]:
        last = bounds(t, tags, believed=believed)[1]
        return (last is None, last or 0, t["name"])

    names = {t["name"] for t in newest + sorted(own, key=idle)[: rules.tag_series]}
    return [t for t in own if t["name"] in names]


def newest_first(tags: list[Json]) -> list[Json]:
    """Return the tags, the most recently updated first."""
    return sorted(tags, key=lambda t: (-(updated(t) or 0), t["name"]))


def manifests_of(tag: Json) -> set[str]:
    """Return the digests of a tag and of its platforms."""
    digests = {tag.get("digest"), *(record.get("digest") for record in tag["images"])}
    return {digest for digest in digests if digest}


def pulled(tag: Json, tags: list[Json]) -> int | None:
    """Return the newest pull of a tag's content in ms, 0 where there was none, None if unknown."""
    pulls = [record["latest_pulled"] for record in tag["images"]] or [None]
    own = manifests_of(tag)
    for other in tags:
        for record in other["images"]:
            digest = record.get("digest") or other.get("digest")
            if digest in own:
                pulls.append(record["latest_pulled"])
    if any(pulls):
        return max(pull or 0 for pull in pulls)
    return None if None in pulls else 0


def bounds(tag: Json, tags: list[Json], *, believed: bool = True) -> tuple[int | None, int | None]:
    """Return a tag's last use at the earliest and at the latest (ms); None: unknown, or now."""
    pull, update = pulled(tag, tags), updated(tag)
    first = max(pull or 0, update or 0) or None
    if pull:
        return first, first
    if pull is None or not update or not believed:
        return first, None
    return first, max(update, RECORDED_SINCE_MS)


def believes(tags: list[Json], pull_count: int | None, *, registry_has_pulls: bool) -> bool:
    """Return whether a 0 says that no pull was recorded."""
    contradicted = bool(pull_count) and bool(tags) and not has_pulls(tags)
    is_old = any((updated(t) or RECORDED_SINCE_MS) < RECORDED_SINCE_MS for t in tags)
    return registry_has_pulls and (not contradicted or is_old)


def has_pulls(tags: list[Json]) -> bool:
    """Return whether any record has the time of a pull."""
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
