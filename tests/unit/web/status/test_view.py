"""What a query asks for."""

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.web.status.view import Column, Cut, View, cut, in_order, view_of

Pair = tuple[str, int | None]
NAME: Column[Pair] = Column("name", "Name", lambda row: row[0], down=False)
SIZE: Column[Pair] = Column("size", "Size", lambda row: row[1])
COLUMNS = (NAME, SIZE)


def test_a_query_says_what_to_show_and_in_which_order() -> None:
    query = {"q": " api ", "only": "failing", "sort": "size", "order": "asc", "page": "3"}
    view = view_of(query, COLUMNS)
    assert view == View("size", descending=False, text="api", only="failing", page=3)


def test_without_a_query_the_first_column_decides() -> None:
    assert view_of({}, COLUMNS) == View("name")
    assert view_of({"sort": "size"}, COLUMNS) == View("size", descending=True)


@pytest.mark.parametrize("page", ["", "0", "-1", "x", "1e3", "\u0663", "9" * 5000])
def test_an_odd_page_is_the_first(page: str) -> None:
    assert view_of({"page": page, "sort": "nothing", "order": "up"}, COLUMNS) == View("name")


@given(st.builds(View, st.just("size"), st.booleans(), st.text(), st.text(), st.integers(1, 10**5)))
def test_a_link_leads_to_the_very_view_it_was_made_of(view: View) -> None:
    query = {key: values[-1] for key, values in parse_qs(view.href(page=view.page)[1:]).items()}
    read = view_of(query, COLUMNS)
    assert read == view_of({**query, "q": view.text, "only": view.only}, COLUMNS)
    assert (read.sort, read.descending, read.page) == ("size", view.descending, view.page)


def test_a_change_leads_to_the_first_page_and_keeps_what_stays() -> None:
    view = View("size", text="a b&c", page=7, base=(("image", "x/y"),))
    assert view.href(only="stale") == "?image=x%2Fy&q=a%20b%26c&only=stale&sort=size&order=asc"


def test_a_lone_surrogate_costs_no_page() -> None:
    assert View("name", text="\udc80").href().startswith("?q=")


def test_the_first_click_sorts_as_one_expects_and_the_second_turns_it_around() -> None:
    assert View("name").sorted_by(SIZE) == "?sort=size&order=desc"
    assert View("size", descending=True).sorted_by(SIZE) == "?sort=size&order=asc"
    assert View("size").sorted_by(NAME) == "?sort=name&order=asc"


@pytest.mark.parametrize("descending", [False, True])
def test_what_is_unknown_goes_last_in_either_direction(*, descending: bool) -> None:
    rows: list[Pair] = [("a", None), ("b", 2), ("c", 1), ("d", None)]
    names = [name for name, _ in in_order(rows, SIZE, descending=descending)]
    assert names == [*("bc" if descending else "cb"), "a", "d"]


@pytest.mark.parametrize("descending", [False, True])
def test_sorting_by_steps_is_sorting(*, descending: bool) -> None:
    values = [number * 7919 % 101 for number in range(4500)]
    rows: list[Pair] = [(str(number), value) for number, value in enumerate(values)]
    expected = sorted(rows, key=lambda row: row[1] or 0, reverse=descending)
    assert in_order(rows, SIZE, descending=descending) == expected


def test_a_page_of_rows_says_which_they_are() -> None:
    rows = list(range(25))
    second = cut(rows, 2, 10)
    assert (second.rows, second.first, second.last) == (rows[10:20], 11, 20)
    beyond = cut(rows, 99, 10)
    assert (beyond.page, beyond.rows, beyond.last, beyond.total) == (3, rows[20:], 25, 25)
    nothing: Cut[int] = cut([], 1, 10)
    assert (nothing.pages, nothing.first, nothing.last) == (1, 0, 0)
