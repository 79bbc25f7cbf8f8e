"""The version of the API that tests of both versions speak, and its pages."""

from collections.abc import Mapping
from typing import Any

from ncr_exporter.ncr.paths import Operation, parse
from ncr_exporter.ncr.versions import V2, V3, VERSIONS, ApiVersion
from ncr_exporter.simulator.v3 import record_of


class _Spoken:
    version = V2.name


def speak(version: str) -> None:
    """Have clients that are made from now on speak this version; see the fixture `version`."""
    _Spoken.version = version


def spoken() -> ApiVersion:
    """Return the version that clients speak."""
    return VERSIONS[_Spoken.version]


def page_number(target: str) -> int:
    """Return the number of the page that a request asks for, counted from 1 in either version."""
    page = parse(target)
    assert page is not None
    return page.number - page.list.style.first_page + 1


def number_in(version: ApiVersion, page: int) -> int:
    """Return the number that a version gives to a page, which is counted from 1."""
    return page - 1 + version.paths.first_page


_OF_V2 = {"results", "count", "next", "previous"}


def page_in(
    version: ApiVersion,
    content: Mapping[str, Any],
    number: int = 1,
    operation: Operation = "tag_list",
) -> dict[str, Any]:
    """Return a page of version 2, which is the n-th of its list, as a version sends it.

    What a page of version 2 does not have, such as an error, stands beside it in either.
    """
    if version is V2:
        return dict(content)
    totals = {
        "pageNo": number_in(version, number),
        "totalPages": max(number, content.get("next") or 0),
    }
    if content.get("count") is not None:
        totals["totalElements"] = content["count"]
    items = [record_of(operation, record) for record in content["results"]]
    others = {key: value for key, value in content.items() if key not in _OF_V2}
    return {"content": items, "page": totals, **others}


def at(version: ApiVersion, path: str) -> str:
    """Return a path or query of version 2, or a part of one, as a version writes it."""
    if version is V3:
        for old, new in (
            ("/ncr/api/v2", "/api/v3"),
            ("repositories", "registries"),
            ("my-registry?", "my-registry/images?"),
            ("my-registry/app", "my-registry/images/app"),
            ("page=2", "pageNo=1"),
            ("page=1", "pageNo=0"),
            ("pagesize", "pageSize"),
        ):
            path = path.replace(old, new)
    return path
