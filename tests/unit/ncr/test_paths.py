"""The paths of list operations: what is written is read back, and nothing else is a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.ncr.paths import OPERATIONS, STYLES, ListPath, parse, parse_path
from ncr_exporter.ncr.versions import VERSIONS, ApiVersion

NAMES = st.text(min_size=1, max_size=40)
PREFIXES = st.sampled_from(["/ncr/api/v2", "/ncr/sgn-api/v2", "/ncr/kr/v2", "/api/v3"])
STYLE = st.sampled_from(STYLES)
LISTS = st.one_of(
    st.builds(ListPath, PREFIXES, style=STYLE),
    st.builds(ListPath, PREFIXES, NAMES, style=STYLE),
    st.builds(ListPath, PREFIXES, NAMES, NAMES, STYLE),
)


@given(LISTS, st.integers(0, 10**9), st.integers(1, 1000), st.data())
def test_what_is_asked_for_is_read_back(
    path: ListPath, number: int, size: int, data: st.DataObject
) -> None:
    without = data.draw(st.frozensets(st.sampled_from(["none", *sorted(path.style.optional)])))
    target = path.page(number, size, without)
    asked = parse(target)
    assert asked is not None
    assert (asked.list, asked.number) == (path, number)
    assert asked.size == (None if path.style.page_size in without else size)
    assert f"{asked.list}?{asked.query}" == target
    assert asked.is_first == (number == path.style.first_page)
    assert parse_path(str(path), path.style) == path


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
        "/ncr/api/v2/repositories?pageNo=0&pageSize=100",
        "/api/v3/registries?page=1&pagesize=100",
        "/api/v3/registries/reg/images/app/tags?pageNo=0&pageSize=100&sort=name",
    ],
)
def test_whatever_else_is_no_page_of_a_list(target: str) -> None:
    assert parse(target) is None


def test_a_path_tells_its_operation() -> None:
    assert ListPath("/ncr/api/v2").operation == "registry_list"
    assert ListPath("/ncr/api/v2", "reg").operation == "image_list"
    assert ListPath("/ncr/api/v2", "reg", "app").operation == "tag_list"


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
def test_every_operation_is_decoded(version: ApiVersion) -> None:
    for operation in OPERATIONS:
        assert version.wire.decode(operation, b'{"results": []}').results == []
        assert version.wire.decode_raw(operation, b'{"results": [{}]}').item_count == 1


def test_the_paths_tried_here_are_of_every_operation() -> None:
    tried = {ListPath("/p"), ListPath("/p", "r"), ListPath("/p", "r", "i")}
    assert {path.operation for path in tried} == set(OPERATIONS), "add the list to LISTS, too"
