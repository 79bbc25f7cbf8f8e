"""Signs that come along unseen: from word processors, web pages, editors and shells. Pure."""

from collections.abc import Iterator

BYTE_ORDER_MARK = "\ufeff"
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
_FULL_WIDTH_COLON = "\N{FULLWIDTH COLON}"
_DASHES = "\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}\N{BULLET}"
_CURLY_QUOTES = "“”„‟‘’‚‛«»「」『』＂＇"  # noqa: RUF001 -- these are what the module is about
QUOTES = f"\"'`{_CURLY_QUOTES}"
"""Every sign that may stand around a text to quote it."""


def look_alike(text: str) -> str | None:
    """Return which sign in a text only looks like one of YAML's, and what to write instead."""
    return next(_look_alikes(text), None)


def _look_alikes(text: str) -> Iterator[str]:
    if BYTE_ORDER_MARK in text:
        yield "a byte order mark, which cannot be seen; remove it"
    if _NO_BREAK_SPACE in text:
        yield "a no-break space; write a blank"
    if _FULL_WIDTH_COLON in text:
        yield "a full-width colon; write a plain colon and a blank"
    if is_bullet(text):
        yield "a dash that is no hyphen; write `- `"
    if is_curly_quoted(text):
        yield f"{text[0]} and {text[-1]} of a word processor; write plain quotes, or none"


def is_bullet(text: str) -> bool:
    """Return whether a text begins with a dash or bullet that is not YAML's `-`."""
    return text[:1] != "" and text[0] in _DASHES and text[1:2].isspace()


def is_curly_quoted(text: str) -> bool:
    """Return whether a text begins and ends with quotes that YAML does not know."""
    return len(text) > 1 and text[0] in _CURLY_QUOTES and text[-1] in _CURLY_QUOTES


def stray_end(text: str) -> str | None:
    """Return what does not belong at either end of a value from a variable or a file; else None.

    The phrase continues a sentence that names the value, and never quotes it.
    """
    if text.startswith(BYTE_ORDER_MARK):
        return "begins with a byte order mark"
    if text.endswith(("\n", "\r")):
        return "ends in a line feed"
    if text != text.strip():
        return "begins or ends with a blank"
    if len(text) > 1 and text[0] in QUOTES and text[-1] in QUOTES:
        return "has quotes around it"
    return None
