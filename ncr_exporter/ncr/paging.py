"""Where a list goes on after a page, in each version of the API."""

from collections.abc import Sequence
from typing import Any

from ncr_exporter.ncr.errors import MalformedError
from ncr_exporter.ncr.pages import Page
from ncr_exporter.texts import failures


def next_of_v2(pages: Sequence[Page[Any]]) -> int | None:
    """Return the number of the page after these, which their last one names; None at the end."""
    return pages[-1].next


def next_of_v3(pages: Sequence[Page[Any]]) -> int | None:
    """Return the number of the page after these, which start at 0; None at the end.

    Where a page does not say how many there are, the list goes on until a page is empty, or shorter
    than one before it. Fewer records than asked for are no end: a server may give fewer per page.

    Raises:
        MalformedError: the last page is not the one that was asked for, or it is empty though it
            says that more follow.
    """
    page, number = pages[-1], len(pages) - 1
    _check_number(pages)
    longest = max(each.held for each in pages)
    known = _pages_in_all(page, longest)
    if known is None:
        return number + 1 if page.held == longest > 0 else None
    if number + 1 >= known:
        return None
    if page.held:
        return number + 1
    if page.count is None:
        raise MalformedError(failures.EMPTY_PAGE(page=number, pages=known))
    return None  # the count shows that names are missing


def _check_number(pages: Sequence[Page[Any]]) -> None:
    """Check that the last page is the one that was asked for; the first may be called 0 or 1."""
    first, page, number = pages[0].number, pages[-1].number, len(pages) - 1
    if first is None or page is None:
        return
    if page - min(first, 1) != number:
        raise MalformedError(failures.OTHER_PAGE(page=number, came=page))


def _pages_in_all(page: Page[Any], longest: int) -> int | None:
    """Return how many pages the list has, by the larger of the page's numbers; None if unknown.

    Args:
        page: the last page read.
        longest: the most records on a page so far.
    """
    by_count = None if page.count is None or not longest else -(-page.count // longest)
    known = [pages for pages in (page.pages, by_count) if pages is not None]
    return max(known, default=None)
