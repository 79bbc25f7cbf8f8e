"""The program within this process: the same words in and out, without the start of a process.

`tests.support.program.run` is the real thing; where many calls differ in one word, this is fast.
"""

import io
import logging
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import structlog

from ncr_exporter.cli.main import main


def run(*argv: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err), logs_kept():
        code = main(argv, {**os.environ, **(environ or {})})
    return subprocess.CompletedProcess(argv, code, _text_of(out), _text_of(err))


def _text_of(stream: io.TextIOWrapper) -> str:
    stream.flush()
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode()


@contextmanager
def logs_kept() -> Iterator[None]:
    """Set up logs in the block as in a program of its own; afterwards they are as before."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**before)
