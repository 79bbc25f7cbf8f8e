"""What a query asks for."""

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.web.status.query import Column, Query, RowPage, paginated, parse_query, sorted_by

Pair = tuple[str, int | None]
NAME: Column[Pair] = Column("name", "Name", lambda row: row[0], descending_first=False)
SIZE: Column[Pair] = Column("size", "Size", lambda row: row[1])
COLUMNS = (NAME, SIZE)


def test_a_query_says_what_to_show_and_in_which_order() -> None:
    given = {"q": " api ", "only": "failing", "sort": "size", "order": "asc", "page": "3"}
    query = parse_query(given, COLUMNS)
    assert query == Query("size", descending=False, text="api", only="failing", page=3)


def test_without_a_query_the_first_column_decides() -> None:
    assert parse_query({}, COLUMNS) == Query("name")
    assert parse_query({"sort": "size"}, COLUMNS) == Query("size", descending=True)


def test_a_page_may_have_another_default() -> None:
    assert parse_query({}, COLUMNS, default="size") == Query("size", descending=True)
    assert parse_query({"sort": "name"}, COLUMNS, default="size") == Query("name")


@pytest.mark.parametrize(("lang", "language"), [("ko", "ko"), ("en", "en"), ("fr", ""), ("", "")])
def test_a_language_that_was_chosen_is_kept_in_every_link(lang: str, language: str) -> None:
    query = parse_query({"lang": lang, "q": "a"}, COLUMNS)
    assert query.language == language
    expected = f"&lang={language}" if language else ""
    assert query.href(only="stale") == f"?q=a&only=stale&sort=name&order=asc{expected}"
    assert query.chosen_language == ((("lang", language),) if language else ())
    assert dict(query.kept_by_search).get("lang", "") == language
    assert query.href(language="ko", page=3).endswith("&page=3&lang=ko")


@pytest.mark.parametrize("page", ["", "0", "-1", "x", "1e3", "\u0663", "9" * 5000])
def test_an_odd_page_is_the_first(page: str) -> None:
    assert parse_query({"page": page, "sort": "nothing", "order": "up"}, COLUMNS) == Query("name")


@given(
    st.builds(Query, st.just("size"), st.booleans(), st.text(), st.text(), st.integers(1, 10**5))
)
def test_a_link_leads_to_the_very_view_it_was_made_of(query: Query) -> None:
    given = {key: values[-1] for key, values in parse_qs(query.href(page=query.page)[1:]).items()}
    read = parse_query(given, COLUMNS)
    assert read == parse_query({**given, "q": query.text, "only": query.only}, COLUMNS)
    assert (read.sort, read.descending, read.page) == ("size", query.descending, query.page)


def test_a_change_leads_to_the_first_page_and_keeps_what_stays() -> None:
    query = Query("size", text="a b&c", page=7, base=(("image", "x/y"),))
    assert query.href(only="stale") == "?image=x%2Fy&q=a%20b%26c&only=stale&sort=size&order=asc"


def test_a_lone_surrogate_costs_no_page() -> None:
    assert Query("name", text="\udc80").href().startswith("?q=")


def test_the_first_click_sorts_as_one_expects_and_the_second_turns_it_around() -> None:
    assert Query("name").sort_href(SIZE) == "?sort=size&order=desc"
    assert Query("size", descending=True).sort_href(SIZE) == "?sort=size&order=asc"
    assert Query("size").sort_href(NAME) == "?sort=name&order=asc"


@pytest.mark.parametrize("descending", [False, True])
def test_what_is_unknown_goes_last_in_either_direction(*, descending: bool) -> None:
    rows: list[Pair] = [("a", None), ("b", 2), ("c", 1), ("d", None)]
    names = [name for name, _ in sorted_by(rows, SIZE, descending=descending)]
    assert names == [*("bc" if descending else "cb"), "a", "d"]


@pytest.mark.parametrize("descending", [False, True])
def test_sorting_by_steps_is_sorting(*, descending: bool) -> None:
    values = [number * 7919 % 101 for number in range(4500)]
    rows: list[Pair] = [(str(number), value) for number, value in enumerate(values)]
    expected = sorted(rows, key=lambda row: row[1] or 0, reverse=descending)
    assert sorted_by(rows, SIZE, descending=descending) == expected


def test_a_page_of_rows_says_which_they_are() -> None:
    rows = list(range(25))
    second = paginated(rows, 2, 10)
    assert (second.rows, second.first, second.last) == (rows[10:20], 11, 20)
    beyond = paginated(rows, 99, 10)
    assert (beyond.number, beyond.rows, beyond.last, beyond.total) == (3, rows[20:], 25, 25)
    nothing: RowPage[int] = paginated([], 1, 10)
    assert (nothing.pages, nothing.first, nothing.last) == (1, 0, 0)


def test_a_search_keeps_everything_but_the_text_and_the_page() -> None:
    base = (("image", "x/y"),)
    query = Query("size", descending=True, text="a", only="stale", page=7, base=base)
    kept = (*base, ("only", "stale"), ("sort", "size"), ("order", "desc"))
    assert query.kept_by_search == kept
    assert {name for name, _ in query.parameters} - {name for name, _ in kept} == {"q", "page"}
