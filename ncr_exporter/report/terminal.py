"""Output for a terminal: styled text, its width in columns, and a progress bar.

The library rich is not used, although it could draw all this. Where rich is installed structlog
imports it at every start, and with its highlighter it is larger than all other dependencies.
"""

import asyncio
import itertools
import os
import sys
import textwrap
import time
import unicodedata
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import IO, NamedTuple

from ncr_exporter.state.store import Store

_CODES = {
    "bold": "1",
    "dim": "2",
    "green": "32",
    "yellow": "33",
    "bold yellow": "1;33",
    "bold red": "1;31",
}
_BAR = 40  # columns; fewer on a terminal that is narrower than bar and numbers
_NUMBERS = 36  # columns
_LEAST_PROSE = 20  # columns
_PERIOD = 0.1  # seconds
_ERASE = "\r\x1b[2K"


class Span(NamedTuple):
    """A text and its style, a key of `_CODES`; empty for plain text."""

    text: str
    style: str = ""


Cell = Sequence[Span]


class Terminal:
    """An output file. If it is no terminal, text is neither coloured nor fitted to a width."""

    def __init__(self, file: IO[str], environ: Mapping[str, str] = os.environ) -> None:
        self.file = file
        self.is_interactive = file.isatty() and environ.get("TERM") != "dumb"
        self.width = _width(file) if file.isatty() else None
        """Columns; None is unlimited."""
        self._colours = self.is_interactive and not environ.get("NO_COLOR")

    def shows(self, text: str) -> bool:
        """Return whether the file's encoding has all characters of a text."""
        try:
            text.encode(getattr(self.file, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            return False
        return True

    def painted(self, cell: Cell) -> str:
        """Return a cell's text, with escape sequences for its styles if colours are on."""
        return "".join(
            f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style and self._colours else text
            for text, style in cell
        )


def _width(file: IO[str]) -> int:
    try:
        return os.get_terminal_size(file.fileno()).columns or 80
    except OSError:
        return 80


def columns_of(text: str) -> int:
    """Return a text's width in columns.

    A wide character, such as Hangul, takes two columns; a combining character takes none.
    """
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def width_of(cell: Cell) -> int:
    """Return a cell's width in columns."""
    return sum(columns_of(text) for text, _ in cell)


def wrapped(cell: Cell, width: int) -> Iterator[Cell]:
    """Yield the lines of a cell wrapped to at most `width` columns."""
    if width_of(cell) <= width:
        yield cell
        return
    line: list[Span] = []
    for text, style in cell:
        for char in text:
            if width_of(line) + columns_of(char) > width:
                yield _joined(line)
                line = []
            line.append(Span(char, style))
    yield _joined(line)


def prose(text: str, width: int | None, *, indent: str = "", hanging: str = "") -> Iterator[str]:
    """Yield the lines of a text that fit into `width` columns, unlimited if None.

    Words stay whole: names and commands are copied from here.

    Args:
        text: the text, of one paragraph.
        width: columns of the terminal.
        indent: in front of the first line.
        hanging: in front of the others.
    """
    if width is None:
        yield f"{indent}{text}"
        return
    yield from textwrap.wrap(
        text,
        max(width, len(hanging) + _LEAST_PROSE),
        initial_indent=indent,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _joined(line: Sequence[Span]) -> Cell:
    groups = itertools.groupby(line, key=lambda span: span.style)
    return [Span("".join(span.text for span in spans), style) for style, spans in groups]


@asynccontextmanager
async def progress_bar(store: Store, *, wanted: bool = True) -> AsyncIterator[None]:
    """Show on stderr, if it is a terminal, how many of the known images have been polled."""
    terminal = Terminal(sys.stderr)
    if not wanted or not terminal.is_interactive:
        yield
        return
    redrawing = asyncio.create_task(_redraw(store, terminal))
    try:
        yield
    finally:
        redrawing.cancel()
        terminal.file.write(_ERASE)
        terminal.file.flush()


async def _redraw(store: Store, terminal: Terminal) -> None:
    began = time.monotonic()
    room = max(0, min(_BAR, (terminal.width or 0) - _NUMBERS))  # a wrapped line cannot be erased
    piece, empty = ("━", "━") if terminal.shows("━") else ("#", "-")
    while True:
        polls = [state.polls for state in store.images.values()]
        done, total = sum(map(bool, polls)), len(polls)
        filled = room * done // total if total else 0
        bar = (Span(piece * filled, "green"), Span(empty * (room - filled), "dim"))
        seconds = int(time.monotonic() - began)
        line = f"{_ERASE}polling {terminal.painted(bar)} {done}/{total} images, {seconds} s"
        terminal.file.write(line)
        terminal.file.flush()
        await asyncio.sleep(_PERIOD)
