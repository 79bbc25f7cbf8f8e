"""`ncr-exporter`, which also tells what only the process itself can see when it gets SIGUSR2.

The program has nothing for that: this adds a signal's handler and changes nothing else.
"""

import asyncio
import os
import resource
import signal
import sys

from ncr_exporter.cli.main import run


def tell() -> None:
    """Write a line to stdout, where `serve` writes nothing: tasks, and memory blocks in use."""
    os.write(1, f"{len(asyncio.all_tasks())} {sys.getallocatedblocks()}\n".encode())


DESCRIPTORS = 256
"""What the exporter may open: few, so that a crowd need not be large to fill it."""

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    signal.signal(signal.SIGUSR2, lambda *_: tell())
    run()
