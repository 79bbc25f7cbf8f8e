"""docs/first-minutes.md: its files written, its commands run, what they print in its blocks.

`python -m tests.support.transcript` writes the document again, and its blocks into the Korean one.
"""

import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

from ncr_exporter.simulator.data import FixedSource
from tests.support.api_client import tag
from tests.support.api_thread import KEYS, answering
from tests.support.in_process import run

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "first-minutes.md"
KOREAN = DOCUMENT.with_name("first-minutes.ko.md")
API = "https://ncr.apigw.ntruss.com"
_BLOCK = re.compile(r"```(yaml|console)\n(.*?)```\n", re.DOTALL)
_DAY_MS = 86_400_000
_MB = 1_000_000


def rewritten(text: str) -> str:
    """Return the document with what its commands print now."""
    with answering(_shop()) as (_, url), tempfile.TemporaryDirectory() as name, chdir(name):
        session = _Session(url)
        return _BLOCK.sub(session.block, text)


def with_blocks_of(text: str, source: str) -> str:
    """Return a document with the blocks of another, in their order."""
    blocks = (match[0] for match in _BLOCK.finditer(source))
    return _BLOCK.sub(lambda _: next(blocks), text)


def masked(text: str) -> str:
    """Return a text without what differs from day to day and machine to machine."""
    text = re.sub(r"\d{4}-\d\d-\d\d", "DATE", text)
    text = re.sub(r"ncr-exporter \d+\.\d+\.\w+", "ncr-exporter VERSION", text)
    return re.sub(r"host's: [+-]\d+ s", "host's: N s", text)


class _Session:
    """A user at a shell, in a directory of their own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._code = 0

    def block(self, match: re.Match[str]) -> str:
        kind, content = match.groups()
        if kind == "yaml":
            text = f"{content}api: {{base_url: '{self._url}', requests_per_second: 5}}\n"
            Path("ncr-exporter.yml").write_text(text)
            return match[0]
        commands = [line[2:] for line in content.splitlines() if line.startswith("$ ")]
        typed = "\n".join(map(self._typed, commands))
        return f"```console\n{typed}```\n"

    def _typed(self, command: str) -> str:
        return "".join(f"{line}\n" for line in (f"$ {command}", *self._printed(command)))

    def _printed(self, command: str) -> Iterator[str]:
        if command == "echo $?":
            yield str(self._code)
            return
        program, *argv = command.split()
        assert program == "ncr-exporter"
        environ = {
            "NCLOUD_ACCESS_KEY_ID": KEYS["access_key"],
            "NCLOUD_SECRET_ACCESS_KEY": KEYS["secret_key"],
        }
        done = run(*argv, environ=environ)
        self._code = done.returncode
        yield from (done.stdout + done.stderr).replace(self._url, API).splitlines()


def _shop() -> FixedSource:
    """Return a registry with an image in use, one with several platforms, and a forgotten one."""
    now = round(time.time() * 1000) - 3 * 3_600_000
    api = [
        _release(f"2.{n}.0", 96 * _MB + n * 40_000, now, 14 * (12 - n)) for n in range(12, 0, -1)
    ]
    web = [_release(f"1.{n}", 41 * _MB + n * 1000, now, 20 * (8 - n)) for n in range(8, 0, -1)]
    report = [_release(f"0.{n}", 163 * _MB, now, 1200 + 30 * (6 - n)) for n in range(6, 0, -1)]
    return FixedSource(
        "shop", {"api": api, "web/frontend": web, "team/report": report, "other": []}
    )


def _release(name: str, size: int, now: int, days: int) -> dict[str, Any]:
    """Return a tag pushed so many days ago and pulled until a week later, if that has passed."""
    pushed = now - days * _DAY_MS
    pulled = min(now, pushed + 7 * _DAY_MS)
    return tag(name, size=size, pulled=pulled, last_updated=pushed)


if __name__ == "__main__":
    os.environ.pop("NO_COLOR", None)
    written = rewritten(DOCUMENT.read_text(encoding="utf-8"))
    DOCUMENT.write_text(written, encoding="utf-8")
    korean = with_blocks_of(KOREAN.read_text(encoding="utf-8"), written)
    KOREAN.write_text(korean, encoding="utf-8")
