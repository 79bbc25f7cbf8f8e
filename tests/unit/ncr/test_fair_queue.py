"""Whose request goes next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.ncr.fair_queue import FairQueue, Priority

LIST, NEXT, NEW = Priority.IMAGE_LIST, Priority.NEXT_PAGE, Priority.TAG_LIST


def order(*puts: tuple[str, str, Priority]) -> list[str]:
    queue: FairQueue[str] = FairQueue()
    for item, registry, priority in puts:
        queue.put(item, registry, priority)
    return [queue.pop() for _ in range(len(queue))]


def test_registries_take_turns_however_many_one_has_waiting() -> None:
    many = [(f"a{i}", "a", NEW) for i in range(3)]
    assert order(*many, ("b0", "b", NEW), ("c0", "c", NEW)) == ["a0", "b0", "c0", "a1", "a2"]


def test_image_lists_go_before_the_tag_lists_of_all_registries() -> None:
    assert order(("tags", "a", NEW), ("page", "b", NEXT), ("list", "c", LIST))[0] == "list"


def test_a_listing_that_is_begun_goes_before_new_ones_of_its_registry() -> None:
    assert order(("new", "a", NEW), ("page 2", "a", NEXT)) == ["page 2", "new"]


def test_begun_listings_of_one_registry_do_not_take_anothers_turn() -> None:
    puts = [(f"page {i}", "a", NEXT) for i in range(3)]
    assert order(*puts, ("b0", "b", NEW))[1] == "b0"


def test_an_empty_queue_has_no_next() -> None:
    with pytest.raises(IndexError):
        FairQueue[str]().pop()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(list(Priority)))))
def test_everything_put_in_comes_out_once(puts: list[tuple[str, Priority]]) -> None:
    queue: FairQueue[int] = FairQueue()
    for item, (registry, priority) in enumerate(puts):
        queue.put(item, registry, priority)
        assert len(queue) == item + 1
    assert sorted(queue.pop() for _ in puts) == list(range(len(puts)))
    assert not queue
