"""Which pull counts are published, so that a counter falls only where it began again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.state.pull_count import PullCount


def published(*said: int | None) -> list[int | None]:
    """Return what is published after each of these numbers was said."""
    count, found = PullCount(), list[int | None]()
    for number in said:
        count = count.after_list(number)
        found.append(count.published)
    return found


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([7, 7, 9], [7, 7, 9]),
        ([100_000, 99_998, 100_003], [100_000, 100_000, 100_003]),
        ([100_000, 99_998, 99_998], [100_000, 100_000, 99_998]),
        ([100_000, 99_998, 99_990], [100_000, 100_000, 99_990]),
        ([100, 99, 100, 99, 100], [100, 100, 100, 100, 100]),
        ([100, 49], [100, 49]),
        ([100, 50, 50], [100, 100, 50]),
        ([100, 0, 1], [100, 0, 1]),
        ([0, 0], [0, 0]),
        ([100, None, 99, 99], [100, None, 100, 99]),
        ([None, 5], [None, 5]),
    ],
)
def test_a_number_that_dips_is_believed_the_second_time_or_below_half(
    said: list[int | None], expected: list[int | None]
) -> None:
    assert published(*said) == expected


def test_an_expired_number_is_not_published_and_still_not_undercut() -> None:
    count = PullCount().after_list(100).expired()
    assert count.published is None
    assert count.after_list(99).published == 100


@given(st.lists(st.integers(0, 1000), min_size=2))
def test_what_is_published_falls_below_half_or_where_two_lists_say_so(said: list[int]) -> None:
    found = [number for number in published(*said) if number is not None]
    for at in range(1, len(found)):
        if found[at] < found[at - 1]:
            assert found[at] == said[at]
            assert said[at] * 2 < found[at - 1] or said[at - 1] < found[at - 1]
