"""When an image is gone: two complete lists without it, or a 404 that no list contradicts."""

import pytest

from ncr_exporter.state.presence import Presence

NEW = Presence()
LISTED = NEW.after_list(listed=True)
ABSENT_ONCE = LISTED.after_list(listed=False)


def gone(presence: Presence, *, list_denied: bool = False) -> bool:
    return presence.is_gone(list_denied=list_denied)


def test_of_an_image_that_was_never_listed_nothing_is_known() -> None:
    assert (NEW.listed, gone(NEW)) == (None, False)


def test_one_list_without_it_is_not_enough() -> None:
    assert not gone(ABSENT_ONCE)


def test_two_lists_in_a_row_without_it_are() -> None:
    assert gone(ABSENT_ONCE.after_list(listed=False))


def test_two_lists_without_it_that_are_not_in_a_row_are_not() -> None:
    again = ABSENT_ONCE.after_list(listed=True).after_list(listed=False)
    assert not gone(again)


def test_a_404_of_the_service_counts_at_once_where_the_list_lacks_it() -> None:
    assert gone(ABSENT_ONCE.after_not_found())
    assert gone(NEW.after_not_found().after_list(listed=False)), "in whichever order"


def test_a_404_for_an_image_that_is_listed_is_a_failure_and_no_more() -> None:
    assert not gone(LISTED.after_not_found())


def test_a_404_before_any_list_waits_for_the_lists_word() -> None:
    assert not gone(NEW.after_not_found())


@pytest.mark.parametrize("before", [NEW, LISTED, ABSENT_ONCE])
def test_where_the_list_may_not_be_read_a_404_counts_alone(before: Presence) -> None:
    assert gone(before.after_not_found(), list_denied=True)
    assert not gone(before, list_denied=True)


def test_a_success_takes_a_404_back() -> None:
    assert not gone(ABSENT_ONCE.after_not_found().after_success())


def test_an_image_that_is_listed_again_is_there() -> None:
    twice = ABSENT_ONCE.after_list(listed=False)
    assert not gone(twice.after_list(listed=True))
