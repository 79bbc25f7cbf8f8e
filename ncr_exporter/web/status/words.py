"""Numbers, sizes and times as people read them, in their language. Pure."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Literal, NamedTuple

from markupsafe import Markup, escape

from ncr_exporter.config.units import duration_text
from ncr_exporter.report import rows
from ncr_exporter.texts.failures import REASONS
from ncr_exporter.texts.page import PAGE
from ncr_exporter.texts.text import Language, Text, is_in, translated

UNKNOWN = "\u2013"
"""Stands for what is unknown, which is not the same as 0."""
_HOUR, _DAY, _YEAR = 3600, 86400, 365.25 * 86400
_FEW = 10
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Span(NamedTuple):
    """For how long something has been unused, or a bound of that."""

    seconds: float
    bound: Literal["", "at_least", "up_to"] = ""
    """Empty where the span is known exactly."""


def count_text(number: int | None) -> str:
    """Return a whole number with thousands separators: `3,000`."""
    return UNKNOWN if number is None else f"{number:,}"


def bytes_text(size: int | None) -> str:
    """Return bytes with a unit and three significant digits: `1.24 GB`."""
    return UNKNOWN if size is None else rows.size_text(size)


def span_text(span: Span | None, language: Language = "en") -> str:
    """Return a span of time in one unit: `under an hour`, `up to 5 hours`, `412 days`.

    Days are used up to a thousand, because `stale_after` is usually given in days. Less than an
    hour is not told apart: the span ends at the last poll, and pulls since then are not known.
    """
    if span is None:
        return UNKNOWN
    if span.seconds < _HOUR:
        return PAGE["under_an_hour"].said(language)
    length = _length_text(span.seconds, language)
    return PAGE[span.bound].said(language, span=length) if span.bound else length


def _length_text(seconds: float, language: Language) -> str:
    for unit, length, most in (("hours", _HOUR, 24), ("days", _DAY, 1000)):
        if (number := round(seconds / length)) < most:
            return PAGE[unit].said(language, n=max(1, number))
    return PAGE["years"].said(language, n=seconds / _YEAR)


def exact_text(seconds: float, language: Language = "en") -> str:
    """Return a duration of the configuration in words: `90 days`, `1 hour 30 minutes`."""
    parts = re.findall(r"(\d+)([a-z]+)", duration_text(seconds))
    return " ".join(PAGE[_UNITS[unit]].said(language, n=int(amount)) for amount, unit in parts)


def took_text(seconds: float, language: Language = "en") -> str:
    """Return how long a poll took: `took 0.24 s`, `took 12 s`."""
    number = f"{seconds:.2f}" if seconds < _FEW else f"{seconds:.0f}"
    return PAGE["took"].said(language, seconds=number)


def share_text(part: int, whole: int, language: Language = "en") -> str:
    """Return a share in percent: `12 %`; a part above 0 is at least `under 1 %`."""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return PAGE["under_1_percent"].said(language)
    return PAGE["percent"].said(language, n=percent)


def moment(seconds: float | None, kind: str = "past") -> str:
    """Return the element of a time (s since the epoch); the script puts it relative to now.

    `kind` is `past`, or `next` for a time that may be in the future.
    """
    if seconds is None:
        return UNKNOWN
    # A page has thousands of them: as text of its own, each takes a third of a template's time.
    text = f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%SZ}"
    return Markup(  # noqa: S704 -- digits, and a word of ours
        f'<time class="{kind}" datetime="{text}">{text[:10]} {text[11:16]} UTC</time>'
    )


def moment_ms(milliseconds: int | None, kind: str = "past") -> str:
    """Return the element of a time in ms since the epoch."""
    return moment(None if milliseconds is None else milliseconds / 1000, kind)


def message_element(message: str, language: Language) -> Markup:
    """Return the element of a message on a failure; what others said is marked as English."""
    foreign = Markup("") if is_in(message, language) else Markup(' lang="en"')
    return Markup("<bdi{}>{}</bdi>").format(foreign, translated(message, language))


def reason_text(reason: str, language: Language = "en") -> str:
    """Return the name of a reason for failures."""
    known = REASONS.get(reason)
    return known.said(language) if known else reason.replace("_", " ")


def phrases(language: Language) -> SimpleNamespace:
    """Return the texts of the page for its templates: `{{ t.images }}`, `{{ t.found(n=3) }}`."""
    return SimpleNamespace(**{key: _phrase(text, language) for key, text in PAGE.items()})


def _phrase(text: Text, language: Language) -> Markup | Callable[..., Markup]:
    """Return a text, or what puts values in its placeholders; values are escaped."""
    constant = escape(text.pattern(language))
    return partial(_filled, text, language) if "{" in constant else constant


def _filled(text: Text, language: Language, /, **values: object) -> Markup:
    return escape(text.pattern(language, values.get("n"))).format(**values)
