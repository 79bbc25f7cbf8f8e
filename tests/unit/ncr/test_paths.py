"""The paths of list operations: what is written is read back, and nothing else is a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.ncr.paths import OPERATIONS, ListPath, RegistryPath, parse, parse_path
from ncr_exporter.ncr.wire import decode, decode_raw

NAMES = st.text(min_size=1, max_size=40)
PREFIXES = st.sampled_from(["/ncr/api/v2", "/ncr/sgn-api/v2", "/ncr/kr/v2"])
LISTS = st.one_of(
    st.builds(ListPath, PREFIXES),
    st.builds(ListPath, PREFIXES, NAMES),
    st.builds(ListPath, PREFIXES, NAMES, NAMES),
)


@given(LISTS, st.integers(1, 10**9), st.integers(1, 1000))
def test_what_is_asked_for_is_read_back(path: ListPath, number: int, size: int) -> None:
    asked = parse(path.page(number, size))
    assert asked is not None
    assert asked == (path, number, size)
    assert parse_path(str(path)) == path


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/",
        "/ncr/api/v2",
        "/ncr/api/v2/repositories",
        "/ncr/api/v2/repositories?page=1",
        "/ncr/api/v2/repositories?page=0x1&pagesize=1",
        "/ncr/api/v2/repositories/?page=1&pagesize=100",
        "/ncr/api/v2/repositories/reg/?page=1&pagesize=100",
        "/ncr/api/v2/repositories/reg/app?page=1&pagesize=100",
        "/ncr/api/v2/repositories/reg/app/tags/v1?page=1&pagesize=100",
        "/ncr/api/v2/repositories/reg//tags?page=1&pagesize=100",
        "/ncr/api/v2/repositories/reg/app/tags?page=1&pagesize=100&more=1",
        "/elsewhere?page=1&pagesize=100",
    ],
)
def test_whatever_else_is_no_page_of_a_list(target: str) -> None:
    assert parse(target) is None


def test_a_path_tells_its_operation() -> None:
    registry = RegistryPath("label", "reg", "/ncr/api/v2")
    assert ListPath("/ncr/api/v2").operation == "registry_list"
    assert registry.image_list.operation == "image_list"
    assert registry.tag_list("app").operation == "tag_list"


def test_every_operation_is_decoded() -> None:
    for operation in OPERATIONS:
        assert decode(operation, b'{"count": 0, "results": []}').results == []
        assert decode_raw(operation, b'{"count": 1, "results": [{}]}').item_count == 1


def test_the_paths_tried_here_are_of_every_operation() -> None:
    tried = {ListPath("/p"), ListPath("/p", "r"), ListPath("/p", "r", "i")}
    assert {path.operation for path in tried} == set(OPERATIONS), "add the list to LISTS, too"
