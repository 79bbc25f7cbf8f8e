"""Findings on the pages of lists. Pure; the texts contain counts and no names."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from ncr_exporter.check_online.observed import (
    NOT_LEARNED,
    ObservedListing,
    ObservedResponses,
    moment,
    number,
    tally,
)


def page_size(observed: ObservedResponses) -> Iterator[str]:
    """Yield whether pages hold as many records as the exporter requests."""
    full = [
        page
        for listing in observed.listings
        for index, page in enumerate(listing.pages, 1)
        if page.requested and listing.goes_on(index)
    ]
    if not full:
        longest = max((len(listing.names) for listing in observed.listings), default=0)
        yield f"{NOT_LEARNED}: no list has a second page, the longest has {longest} records"
        return
    wrong = [page for page in full if page.held != page.requested]
    requested = ", ".join(map(str, sorted({page.requested or 0 for page in wrong or full})))
    if not wrong:
        yield f"honoured: {requested} on all {len(full)} pages that have a next one"
        return
    held = sorted({page.held for page in wrong})
    received = f"{held[0]} to {held[-1]}" if len(held) > 1 else f"{held[0]}"
    yield f"not honoured: {received} instead of {requested} on pages that have a next one"


def next_page(observed: ObservedResponses) -> Iterator[str]:
    """Yield what the field `next` holds, which version 3 has not."""
    pages = [page for listing in observed.in_version("v2").listings for page in listing.pages]
    if not pages and observed.versions:
        return
    kinds = Counter(_kind_of_next(page.sent.next) for page in pages)
    yield f"{len(pages)} pages: {tally(kinds) or NOT_LEARNED}"


def envelope(observed: ObservedResponses) -> Iterator[str]:
    """Yield where a page has its records, and what it says about its list."""
    shapes = Counter(page.shape for listing in observed.listings for page in listing.pages)
    yield tally(shapes) or NOT_LEARNED


def _kind_of_next(value: object) -> str:
    if value is None:
        return "null or missing"
    return f"a page number as {type(value).__name__}" if number(value) else "0 or something else"


def count(observed: ObservedResponses) -> Iterator[str]:
    """Yield whether the count of a list equals the number of distinct names."""
    listings = [listing for listing in observed.listings if listing.complete]
    if not listings:
        yield f"{NOT_LEARNED}: no list could be read to its end"
        return
    counts = [(number(listing.pages[-1].sent.count), listing) for listing in listings]
    if all(given is None for given, _ in counts):
        yield "no list says how many records it has"
        return
    wrong = [(given, listing) for given, listing in counts if given != len(set(listing.names))]
    longer = sum(len(listing.pages) > 1 for listing in listings)
    equal = f"{len(listings) - len(wrong)} of {len(listings)} lists"
    yield f"equals the distinct names in {equal}; {longer} have several pages"
    for given, listing in wrong[:3]:
        held, distinct = sum(page.held for page in listing.pages), len(set(listing.names))
        what = listing.path.operation
        yield f"differs in a {what}: count {given}, records {held}, distinct names {distinct}"


def order(observed: ObservedResponses) -> Iterator[str]:
    """Yield the order of the records in lists."""
    for operation in ("tag_list", "image_list"):
        lists = [listing for listing in observed.of(operation) if len(listing.records) > 2]  # noqa: PLR2004 -- two are in order too often
        orders = Counter(" and ".join(_orders(listing)) or "no order" for listing in lists)
        yield f"{operation}: {tally(orders) or NOT_LEARNED}"


def _orders(listing: ObservedListing) -> Iterator[str]:
    """Yield the orders that the records of a list are in."""
    for field, up, down in (
        ("name", "name ascending", "name descending"),
        ("last_updated", "oldest update first", "newest update first"),
    ):
        values = [getattr(record.fields, field) for record in listing.records]
        if field != "name":
            values = [moment(value) for value in values]
        if any(not isinstance(value, str if field == "name" else int) for value in values):
            continue
        if _ascending(values):
            yield up
        elif _ascending(values[::-1]):
            yield down


def _ascending(values: Sequence[Any]) -> bool:
    return all(before <= after for before, after in pairwise(values))
