"""Tags that must not change, and did."""

import pytest

from ncr_exporter.inventory import Platform, Tag, overwritten_tags


def tag(name: str, *digests: str | None, own: str | None = None) -> Tag:
    return Tag(name, own, platforms=tuple(Platform(digest) for digest in digests))


def changed(before: Tag, after: Tag, glob: str = "v*") -> bool:
    found = overwritten_tags([before], [after], [glob])
    assert [each.name for each in found] in ([], [before.name])
    return bool(found)


def test_other_content_under_the_same_name_is_an_overwritten_tag() -> None:
    before, after = tag("v1", "sha256:a", own="sha256:a"), tag("v1", "sha256:b", own="sha256:b")
    (found,) = overwritten_tags([before], [after], ["v*"])
    assert found == ("v1", "sha256:a", "sha256:b")


def test_only_tags_that_a_glob_matches_are_looked_at() -> None:
    before, after = tag("latest", "sha256:a"), tag("latest", "sha256:b")
    assert overwritten_tags([before], [after], ["v*"]) == []
    assert overwritten_tags([before], [after], []) == []


def test_a_platform_more_is_other_content() -> None:
    assert changed(tag("v1", "sha256:a"), tag("v1", "sha256:a", "sha256:b"))


def test_the_order_of_platforms_is_no_content() -> None:
    assert not changed(tag("v1", "sha256:a", "sha256:b"), tag("v1", "sha256:b", "sha256:a"))


def test_without_platforms_the_tags_own_digest_decides() -> None:
    assert changed(tag("v1", own="sha256:a"), tag("v1", own="sha256:b"))
    assert not changed(tag("v1", own="sha256:a"), tag("v1", own="sha256:a"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (tag("v1", "sha256:a"), tag("v1", None)),
        (tag("v1", None), tag("v1", "sha256:a")),
        (tag("v1", "sha256:a"), tag("v1", own="sha256:x")),
        (tag("v1", own="sha256:a"), tag("v1")),
        (tag("v1", "sha256:a", "sha256:b"), tag("v1", "sha256:a", None)),
        (tag("v1", "sha256:a", None), tag("v1", "sha256:a", "sha256:b")),
        (tag("v1"), tag("v1")),
    ],
)
def test_a_listing_that_only_lacks_digests_shows_no_change(before: Tag, after: Tag) -> None:
    assert not changed(before, after)


def test_a_digest_beside_one_that_is_missing_can_still_be_another() -> None:
    assert changed(tag("v1", "sha256:a", "sha256:b"), tag("v1", "sha256:c", None))


def test_a_tag_that_comes_or_goes_was_not_overwritten() -> None:
    assert overwritten_tags([], [tag("v1", "sha256:a")], ["v*"]) == []
    assert overwritten_tags([tag("v1", "sha256:a")], [], ["v*"]) == []
    assert not changed(tag("v1", "sha256:a"), tag("v1", "sha256:a"))
