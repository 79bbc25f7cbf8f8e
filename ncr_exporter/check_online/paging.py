"""What the pages of lists teach. Pure; findings hold counts and no names."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from ncr_exporter.check_online.observed import (
    NOT_LEARNED,
    ObservedListing,
    ObservedResponses,
    number,
    tally,
)


def page_size(observed: ObservedResponses) -> Iterator[str]:
    """Tell whether pages are as long as asked for."""
    full = [page for listing in observed.listings for page in listing.pages if page.next]
    if not full:
        longest = max((len(listing.names) for listing in observed.listings), default=0)
        yield f"{NOT_LEARNED}: the longest list has {longest} records, less than two pages"
        return
    asked = ", ".join(map(str, sorted({page.asked for page in full})))
    short = sorted({page.held for page in full if page.held != page.asked})
    if not short:
        yield f"honoured: asked for {asked}, so many were on all {len(full)} pages with a next one"
    else:
        held = f"{short[0]} to {short[-1]}" if len(short) > 1 else f"{short[0]}"
        yield f"not honoured: asked for {asked}, pages with a next one held {held}"


def next_page(observed: ObservedResponses) -> Iterator[str]:
    """Tell what `next` holds."""
    pages = [page for listing in observed.listings for page in listing.pages]
    kinds = Counter(_next_is(page.next) for page in pages)
    yield f"of {len(pages)} pages: {tally(kinds)}"


def _next_is(value: object) -> str:
    if value is None:
        return "null or missing"
    return f"a page number as {type(value).__name__}" if number(value) else "0 or something else"


def count(observed: ObservedResponses) -> Iterator[str]:
    """Tell what `count` counts."""
    listings = [listing for listing in observed.listings if listing.complete]
    if not listings:
        yield f"{NOT_LEARNED}: no list could be read to its end"
        return
    counts = [(number(listing.pages[-1].count), listing) for listing in listings]
    wrong = [(told, listing) for told, listing in counts if told != len(set(listing.names))]
    longer = sum(len(listing.pages) > 1 for listing in listings)
    equal = f"{len(listings) - len(wrong)} of {len(listings)} lists, {longer} of several pages"
    yield f"equals the distinct names in {equal}"
    for told, listing in wrong[:3]:
        held, distinct = sum(page.held for page in listing.pages), len(set(listing.names))
        what = listing.path.operation
        yield f"differs in a {what}: count {told}, records {held}, names {distinct}"


def order(observed: ObservedResponses) -> Iterator[str]:
    """Tell in which order records come."""
    for operation in ("tag_list", "image_list"):
        lists = [listing for listing in observed.of(operation) if len(listing.records) > 2]  # noqa: PLR2004 -- two are in order too often
        found = Counter(" and ".join(_orders(listing)) or "neither" for listing in lists)
        yield f"{operation} by name or last_updated: {tally(found) or NOT_LEARNED}"


def _orders(listing: ObservedListing) -> Iterator[str]:
    """Yield the orders that the records of a list are in."""
    for field, up, down in (
        ("name", "name", "name downwards"),
        ("last_updated", "oldest update first", "newest update first"),
    ):
        values = [getattr(record.fields, field) for record in listing.records]
        if any(not isinstance(value, str if field == "name" else int) for value in values):
            continue
        if _ascending(values):
            yield up
        elif _ascending(values[::-1]):
            yield down


def _ascending(values: Sequence[Any]) -> bool:
    return all(before <= after for before, after in pairwise(values))
