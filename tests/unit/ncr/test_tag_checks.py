"""Tags of a state file: kept if an answer of the API could hold the same."""

from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.inventory import Platform, Tag, is_platform
from ncr_exporter.ncr.fields import FieldParser
from ncr_exporter.ncr.tag_checks import could_be_listed

NOW_MS = 1_760_000_000_000
DAY_MS = 86_400_000

words = st.sampled_from(["", "linux", "amd64", "a\nb", "x" * 512, "x" * 513, "unknown", "\ud7ff"])
digests = st.none() | words | st.sampled_from(["sha256:ab", "sha256:sha256:ab"])
sizes = st.none() | st.sampled_from([-1, 0, 1, 2**53, 2**53 + 1])
moments = st.none() | st.sampled_from(
    [-1, 0, 1, 946_684_799_999, 946_684_800_000, NOW_MS + DAY_MS, NOW_MS + DAY_MS + 1]
)
platforms = st.builds(Platform, digests, words, words, words, sizes, moments, moments)
tags = st.builds(
    Tag,
    st.sampled_from(["v1", "v2", "", ".", "..", "a\nb", "x" * 512, "x" * 513]),
    digests,
    sizes,
    moments,
    st.lists(platforms, max_size=2).map(tuple),
)


def as_parsed(tag: Tag) -> Tag | None:
    """Return what the parser of answers makes of a tag's fields, one by one."""
    parser = FieldParser(NOW_MS)
    name = parser.name(tag.name)
    if name is None or not all(is_platform(each.os) for each in tag.platforms):
        return None
    parsed = [
        Platform(
            parser.digest(each.digest),
            parser.word(each.os),
            parser.word(each.architecture),
            parser.word(each.variant),
            parser.size(each.size),
            parser.time_or_never(each.pulled),
            parser.time(each.updated),
        )
        for each in tag.platforms
    ]
    digest, size = parser.digest(tag.digest), parser.size(tag.full_size)
    return Tag(name, digest, size, parser.time(tag.last_updated), tuple(parsed))


@given(st.lists(tags, max_size=3))
def test_all_at_once_are_judged_as_one_by_one(listed: list[Tag]) -> None:
    distinct = len({tag.name for tag in listed}) == len(listed)
    assert could_be_listed(listed, NOW_MS) == (
        distinct and all(as_parsed(tag) == tag for tag in listed)
    )
