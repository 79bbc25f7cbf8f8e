"""What could go, and why not the rest."""

import time
from typing import Any

import pytest

from ncr_exporter.inventory import (
    NOTHING_IN_USE,
    Platform,
    Reason,
    Running,
    Tag,
    Usage,
    Verdict,
    usage_of,
    verdicts,
)
from tests.support.states import policy_with

DAY = 86_400_000
NOW = 1_795_824_000_000


def tag(name: str, days: float, *digests: str, pulled_days: float | None = None) -> Tag:
    pulled = 0 if pulled_days is None else NOW - round(pulled_days * DAY)
    platforms = tuple(Platform(digest, pulled=pulled) for digest in digests or (f"sha256:{name}",))
    updated = NOW - round(days * DAY)
    return Tag(name, platforms[0].digest, 10, updated, platforms)


def judged(*tags: Tag, in_use: Usage = NOTHING_IN_USE, **policy: Any) -> dict[str, Verdict]:
    given = policy_with(**{"keep_recent": 0, "keep_tags": (), **policy})
    found = verdicts(tags, given, NOW, believed=True, in_use=in_use)
    return {verdict.name: verdict for verdict in found}


def test_every_tag_has_its_verdict_and_its_reason() -> None:
    hexed = "a" * 64
    tags = (
        tag("new", 1),
        tag("1.4", 400, "sha256:s"),
        tag("stable", 400, "sha256:s", pulled_days=1),
        tag("latest", 400),
        tag("old", 500),
        Tag("unknown", last_updated=NOW - 400 * DAY),
        tag("buildcache", 400),
        tag("subject", 600, f"sha256:{hexed}"),
        tag(f"sha256-{hexed}.sig", 1),
        tag(f"sha256-{'b' * 64}", 1),
        tag("runs", 700),
    )
    found = judged(
        *tags,
        keep_recent=1,
        keep_tags=("lat*",),
        ignore_tags=("*cache",),
        in_use=Usage(frozenset({"runs"})),
    )
    assert {name: (v.stale, v.reason, v.other) for name, v in found.items()} == {
        "new": (False, Reason.USED, ""),
        "1.4": (False, Reason.SHARED, "stable"),
        "stable": (False, Reason.USED, ""),
        "latest": (False, Reason.KEPT, "lat*"),
        "old": (True, Reason.UNUSED, ""),
        "unknown": (None, Reason.PULLS_UNKNOWN, ""),
        "subject": (True, Reason.UNUSED, ""),
        "runs": (False, Reason.IN_USE, ""),
        f"sha256-{hexed}.sig": (True, Reason.ATTACHED, "subject"),
        f"sha256-{'b' * 64}": (None, Reason.SUBJECT_UNKNOWN, ""),
        "buildcache": (False, Reason.IGNORED, "*cache"),
    }


def test_the_most_recent_tags_are_kept_however_old() -> None:
    found = judged(tag("a", 400), tag("b", 500), keep_recent=1)
    assert (found["a"].reason, found["b"].stale) == (Reason.RECENT, True)


def test_a_stale_tag_names_the_tags_that_its_digest_would_take_along() -> None:
    found = judged(tag("1.0", 400, "sha256:s"), tag("kept", 400, "sha256:s"), keep_tags=("kept",))
    assert (found["1.0"].stale, found["1.0"].aliases) == (True, ("kept",))


def test_ten_thousand_tags_of_one_digest_do_not_name_each_other() -> None:
    tags = [tag(f"v{n}", 400, "sha256:s") for n in range(10_000)]
    began = time.process_time()
    found = judged(*tags)
    assert time.process_time() - began < 2
    assert max(len(verdict.aliases) for verdict in found.values()) == 3


# --- what runs ---

MULTI = tag("1.5", 400, "sha256:amd", "sha256:arm")
TAGS = (tag("1.4", 400, "sha256:s"), tag("stable", 400, "sha256:s"), MULTI, tag("old", 500))


def stale_with(*running: Running) -> set[str]:
    found = judged(*TAGS, in_use=usage_of(TAGS, running))
    return {name for name, verdict in found.items() if verdict.stale}


@pytest.mark.parametrize(
    ("running", "stale"),
    [
        ((), {"1.4", "stable", "1.5", "old"}),
        ((Running("old"),), {"1.4", "stable", "1.5"}),
        ((Running("1.4"),), {"1.5", "old"}),
        ((Running("", "sha256:s"),), {"1.5", "old"}),
        ((Running("", "sha256:arm"),), {"1.4", "stable", "old"}),
        ((Running("", "sha256:index"),), set()),
        ((Running("1.5", "sha256:index"),), {"1.4", "stable", "old"}),
        ((Running("gone", "sha256:index"),), set()),
        ((Running("gone", "sha256:arm"),), {"1.4", "stable", "old"}),
        ((Running("gone"),), {"1.4", "stable", "1.5", "old"}),
        ((Running("1.5", "sha256:index"), Running("", "sha256:other")), set()),
    ],
)
def test_a_tag_that_runs_is_not_stale_nor_is_any_where_a_digest_is_not_listed(
    running: tuple[Running, ...], stale: set[str]
) -> None:
    assert stale_with(*running) == stale


def test_where_a_digest_is_not_listed_the_reason_says_so() -> None:
    found = judged(*TAGS, in_use=usage_of(TAGS, [Running("", "sha256:index")]))
    assert {verdict.reason for verdict in found.values()} == {Reason.USE_UNKNOWN}
    assert {verdict.stale for verdict in found.values()} == {None}


def test_digests_in_other_algorithms_and_lengths_are_digests_like_any_other() -> None:
    odd = tag("odd", 400, "sha512:" + "c" * 128, "blake3:x")
    in_use = usage_of([odd], [Running("", "blake3:x")])
    assert judged(odd, in_use=in_use)["odd"].reason is Reason.IN_USE
