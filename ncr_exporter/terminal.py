"""What is drawn for people: tables that fit their terminal, and a progress bar while they wait.

rich knows terminals: their width, their colours, NO_COLOR, and how wide a character is. It is
imported only where something is drawn.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ncr_exporter.store import Store

_UNLIMITED = 10_000
"""Columns, where nobody looks at the width: a pipe must not cut names off."""
_PERIOD = 0.1


def console_on(file: IO[str]) -> Console:
    """Return a console that draws on a file; colours and a width only where it is a terminal."""
    return Console(
        file=file,
        width=None if file.isatty() else _UNLIMITED,
        force_terminal=file.isatty(),
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


@asynccontextmanager
async def progress_of(store: Store, *, wanted: bool = True) -> AsyncIterator[None]:
    """Draw on stderr how many of the images known so far were polled, where that is a terminal."""
    console = console_on(sys.stderr)
    if not wanted or not console.is_terminal or console.is_dumb_terminal:
        yield
        return
    columns = (TextColumn("polling"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        line = progress.add_task("", total=None)

        def draw() -> None:
            states = store.images.values()
            done = sum(state.polls > 0 for state in states)
            progress.update(line, completed=done, total=len(states) or None, refresh=True)

        drawing = asyncio.create_task(_again_and_again(draw))
        try:
            yield
        finally:
            drawing.cancel()


async def _again_and_again(draw: Callable[[], None]) -> None:
    while True:
        draw()
        await asyncio.sleep(_PERIOD)
