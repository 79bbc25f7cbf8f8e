"""What people at a terminal see: widths, colours, and a bar while they wait.

rich would draw this, too; but where it is installed structlog imports it, at every start of the
exporter, and with its highlighter it is larger than all the rest together.
"""

import asyncio
import itertools
import os
import sys
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
_BAR = 40  # columns, where the terminal has so many beside the _NUMBERS
_NUMBERS = 36
_PERIOD = 0.1  # seconds
_ERASE = "\r\x1b[2K"


class Span(NamedTuple):
    """A text and how it looks."""

    text: str
    style: str = ""


Cell = Sequence[Span]


class Terminal:
    """A file that may be a terminal; where it is none, nothing is coloured and nothing cut."""

    def __init__(self, file: IO[str], environ: Mapping[str, str] = os.environ) -> None:
        self.file = file
        self.is_one = file.isatty() and environ.get("TERM") != "dumb"
        self.width = _width(file) if file.isatty() else None
        """In columns; None is without end."""
        self._colours = self.is_one and not environ.get("NO_COLOR")

    def painted(self, cell: Cell) -> str:
        """Return a cell as it is written."""
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
    """Return how many columns a text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def width_of(cell: Cell) -> int:
    """Return how many columns a cell takes."""
    return sum(columns_of(text) for text, _ in cell)


def folded(cell: Cell, width: int) -> Iterator[Cell]:
    """Yield a cell in lines of at most `width` columns."""
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


def _joined(line: Sequence[Span]) -> Cell:
    groups = itertools.groupby(line, key=lambda span: span.style)
    return [Span("".join(span.text for span in spans), style) for style, spans in groups]


@asynccontextmanager
async def progress_of(store: Store, *, wanted: bool = True) -> AsyncIterator[None]:
    """Draw on stderr how many of the images known so far were polled, where that is a terminal."""
    terminal = Terminal(sys.stderr)
    if not wanted or not terminal.is_one:
        yield
        return
    drawing = asyncio.create_task(_draw_again_and_again(store, terminal))
    try:
        yield
    finally:
        drawing.cancel()
        terminal.file.write(_ERASE)
        terminal.file.flush()


async def _draw_again_and_again(store: Store, terminal: Terminal) -> None:
    began = time.monotonic()
    room = max(0, min(_BAR, (terminal.width or 0) - _NUMBERS))  # a line that wraps stays
    while True:
        polls = [state.polls for state in store.images.values()]
        done, total = sum(map(bool, polls)), len(polls)
        filled = room * done // total if total else 0
        bar = (Span("━" * filled, "green"), Span("━" * (room - filled), "dim"))
        seconds = int(time.monotonic() - began)
        line = f"{_ERASE}polling {terminal.painted(bar)} {done}/{total} images, {seconds} s"
        terminal.file.write(line)
        terminal.file.flush()
        await asyncio.sleep(_PERIOD)
