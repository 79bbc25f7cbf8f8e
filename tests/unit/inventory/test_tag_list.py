"""Tags packed: a sixth of the memory, and nothing of them is lost."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.inventory import Platform, Tag, TagList, records_pulls

numbers = st.none() | st.integers(0, 2**53)
words = st.text(max_size=12)
platforms = st.builds(
    Platform, st.none() | words, words, words, words, size=numbers, pulled=numbers, updated=numbers
)
tags = st.builds(
    Tag,
    words,
    st.none() | words,
    numbers,
    numbers,
    st.lists(platforms, max_size=3).map(tuple),
)
listings = st.lists(tags, max_size=8).map(tuple)


@given(listings)
def test_tags_come_back_as_they_were(listed: tuple[Tag, ...]) -> None:
    packed = TagList.of(listed)
    assert packed.tags == tuple(packed) == listed
    assert len(packed) == len(listed)
    assert bool(packed) == bool(listed)
    assert packed.shows_pulls == records_pulls(packed) == records_pulls(listed)
    assert all(tag in packed for tag in listed)
    assert TagList.of(packed) is packed


@given(listings, listings)
def test_equal_are_the_same_tags_in_the_same_order_however_they_came(
    one: tuple[Tag, ...], other: tuple[Tag, ...]
) -> None:
    whole = TagList.of((*one, *other))
    assert whole == TagList.joined([TagList.of(one), TagList.of(other)])
    assert hash(whole) == hash(TagList.joined([TagList.of(one), TagList.of(other)]))
    assert (TagList.of(one) == TagList.of(other)) == (one == other)
    assert (whole == TagList.of((*other, *one))) == ((*one, *other) == (*other, *one))


def test_a_list_is_none_of_its_tags() -> None:
    assert TagList.of([Tag("v1")]) != (Tag("v1"),)
    assert Tag("v1") not in TagList.of([Tag("v2")])


def test_joined_lists_share_their_memory() -> None:
    one, other = TagList.of([Tag("v1")]), TagList.of([Tag("v2")])
    both = TagList.joined([one, other])
    assert [id(chunk) for chunk in both.chunks] == [id(it.chunks[0]) for it in (one, other)]


def test_packed_tags_take_a_quarter_of_the_memory_or_less() -> None:
    listed = [_tag(number) for number in range(20)]
    objects = sum(map(_size_of, listed))
    packed = sum(map(sys.getsizeof, TagList.of(listed).chunks))
    assert packed * 4 < objects


def _tag(number: int) -> Tag:
    digest = f"sha256:{number * 0x9E3779B97F4A7C15 % 2**64:064x}"
    used = 1_760_000_000_000 + number
    platform = Platform(digest, "linux", "amd64", "", 50_000_000 + number, used, used)
    return Tag(f"1.0.{number}", digest, 50_000_000 + number, used, (platform,))


def _size_of(tag: Tag) -> int:
    """Return the bytes of a tag's objects, with those that its platform shares counted once."""
    texts = (tag.name, tag.digest, tag.full_size, tag.last_updated)
    return sum(map(sys.getsizeof, (tag, tag.platforms, *tag.platforms, *texts)))
