"""`ncr-exporter`, which besides tells what can only be seen from inside when it gets SIGUSR2.

The program itself has nothing for that: this adds a signal's handler and changes nothing else.
"""

import asyncio
import os
import signal
import sys

from ncr_exporter.cli.main import run

PIPE = "NCR_SOAK_PIPE"
"""The variable that holds the number of the descriptor to write to."""


def tell(pipe: int) -> None:
    """Write one line: how many tasks there are, and how many blocks Python has in use."""
    os.write(pipe, f"{len(asyncio.all_tasks())} {sys.getallocatedblocks()}\n".encode())


if __name__ == "__main__":
    _pipe = int(os.environ.pop(PIPE))
    signal.signal(signal.SIGUSR2, lambda *_: tell(_pipe))
    run()
