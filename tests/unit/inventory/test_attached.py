"""Signatures, attestations and SBOMs: they count as tags and bytes, and decide nothing."""

import time
from typing import Any

import pytest
from msgspec import structs

from ncr_exporter.inventory import ImageSummary, Knowledge, Platform, Tag, summarize
from ncr_exporter.inventory.attached import attachment_of
from ncr_exporter.inventory.facts import sort_out
from ncr_exporter.inventory.staleness import stale_by_name
from tests.support.states import policy_with

DAY = 86_400_000
NOW = 1_795_824_000_000
KINDS = ("sig", "att", "sbom")


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def release(number: int, days: float, pulled_days: float | None = None) -> Tag:
    pulled = 0 if pulled_days is None else NOW - round(pulled_days * DAY)
    record = Platform(digest(number), "linux", "amd64", size=10**8, pulled=pulled)
    updated = NOW - round(days * DAY)
    return Tag(f"1.{number}", digest(number), 10**8, updated, (record,))


def attached(subject: str, kind: str, days: float, number: int = 0) -> Tag:
    """Return what cosign pushes for a subject: a small manifest that nobody pulls."""
    name = subject.replace(":", "-") + (f".{kind}" if kind else "")
    own = digest(10**6 + number)
    record = Platform(own, size=250, pulled=0)
    return Tag(name, own, 250, NOW - round(days * DAY), (record,))


RELEASES = [release(n, days=100 * (5 - n) + 1, pulled_days=None if n < 3 else 1) for n in range(5)]
SIGNATURES = [
    attached(digest(n), kind, 100 * (5 - n), number=10 * n + place)
    for n in range(5)
    for place, kind in enumerate(KINDS)
]


def summary(*tags: Tag, **policy: Any) -> ImageSummary:
    return summarize(tags, policy_with(**policy), NOW, Knowledge(registry_records_pulls=True))


@pytest.mark.parametrize("series", [2, 10, None])
def test_signed_and_unsigned_releases_give_the_same_numbers(series: int | None) -> None:
    policy: dict[str, Any] = {"keep_recent": 2, "tag_series": series, "tag_size_limit": 200}
    unsigned = structs.asdict(summary(*RELEASES, **policy))
    signed = structs.asdict(summary(*RELEASES, *SIGNATURES, **policy))
    other = {name for name, value in signed.items() if value != unsigned[name]}
    assert other == {"tags", "attached_tags", "size", "reclaimable"}
    assert (signed["tags"], signed["attached_tags"]) == (20, 15)
    assert signed["size"] - unsigned["size"] == 15 * 250
    stale = unsigned["stale_tags"]
    assert signed["reclaimable"] - unsigned["reclaimable"] == 3 * stale * 250
    assert stale == 3


def test_the_first_unsigned_release_is_not_the_first_large_one() -> None:
    image = summary(*RELEASES, *SIGNATURES)
    assert image.newest_tag_size == 10**8


def stale(*tags: Tag, **policy: Any) -> dict[str, bool]:
    given = policy_with(**{"keep_recent": 0, "keep_tags": (), **policy})
    return stale_by_name(tags, sort_out(tags, given.ignore_tags, believed=True), given, NOW)


def test_a_signature_whose_subject_lives_is_not_stale_however_old_it_is() -> None:
    used, signature = release(1, 900, pulled_days=1), attached(digest(1), "sig", 900)
    assert stale(used, signature) == {"1.1": False, signature.name: False}


def test_a_signature_is_stale_when_all_tags_of_its_subject_are() -> None:
    old, signature = release(1, 900), attached(digest(1), "sig", 1)
    alias = Tag("alias", digest(1), last_updated=NOW - 900 * DAY, platforms=old.platforms)
    assert stale(old, alias, signature)[signature.name] is True
    assert stale(old, alias, signature, keep_tags=("alias",))[signature.name] is False


def test_what_belongs_to_a_digest_that_is_not_listed_is_unknown() -> None:
    signature = attached(digest(99), "sig", 900)
    assert signature.name not in stale(release(1, 900), signature)


def test_a_subject_may_be_attached_itself() -> None:
    old, sbom = release(1, 900), attached(digest(1), "sbom", 900)
    signature = attached(sbom.digest or "", "sig", 900, number=5)
    assert stale(old, sbom, signature) == {"1.1": True, sbom.name: True, signature.name: True}


def test_attachments_in_a_circle_are_unknown_and_end() -> None:
    one, two = digest(10**6 + 1), digest(10**6 + 2)
    first = attached(two, "sig", 900, number=1)
    second = attached(one, "att", 900, number=2)
    itself = attached(digest(10**6 + 3), "", 900, number=3)
    assert stale(first, second, itself) == {}


def test_ten_thousand_attachments_of_ten_thousand_tags_take_no_time() -> None:
    content = release(1, 900)
    tags = [Tag(f"v{n}", content.digest, platforms=content.platforms) for n in range(10_000)]
    signatures = [attached(digest(n), "sig", 1, n) for n in range(10_000)]
    began = time.process_time()
    image = summary(*tags, *signatures)
    assert time.process_time() - began < 2
    assert (image.tags, image.attached_tags) == (20_000, 10_000)


HEX = "a" * 64


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (f"sha256-{HEX}", "attachment"),
        (f"sha256-{HEX}.sig", "signature"),
        (f"sha256-{HEX}.att", "attestation"),
        (f"sha256-{HEX}.sbom", "SBOM"),
    ],
)
def test_what_is_attached_is_told_by_its_name(name: str, kind: str) -> None:
    assert attachment_of(name) == (kind, f"sha256:{HEX}")


@pytest.mark.parametrize(
    "name",
    [
        "latest",
        f"sha256-{HEX}\n",
        f"sha256-{HEX}.sig\n",
        f"\nsha256-{HEX}",
        f"sha256-{HEX[1:]}",
        f"sha256-{HEX}a",
        f"sha256-{HEX.upper()}",
        f"sha256-{HEX}.SIG",
        f"sha256-{HEX}.zip",
        f"sha256-{HEX}.sig.sig",
        f"sha512-{HEX}",
        f"sha256:{HEX}",
        f"sha256_{HEX}.sig",
        f"v-sha256-{HEX}.sig",
        "sha256-",
        f"sha256-{'٣' * 64}",
    ],
)
def test_whatever_only_looks_like_it_is_a_tag_of_its_own(name: str) -> None:
    assert attachment_of(name) is None
