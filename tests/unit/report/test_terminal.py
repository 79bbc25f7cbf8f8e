"""What a person at a terminal sees, and what a pipe gets instead."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.unit.cli.test_once import stale_source

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]|\r")


def at_a_terminal(
    *argv: str, columns: int = 100, term: str = "xterm-256color", **environ: str
) -> tuple[str, int]:
    """Run the program at a terminal; return all that it wrote there, and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(  # noqa: S603 -- our own program with a test's words
        [sys.executable, "-m", "ncr_exporter", *argv],
        env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": term, **environ},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:  # what Linux says at the end of a terminal
        pass
    os.close(ours)
    return written.decode(), process.wait(timeout=30)


def plain(text: str) -> str:
    return CONTROL.sub("", text)


def config_of(tmp_path: Path, url: str) -> str:
    return f"--config.file={write_config(tmp_path, url, 'my-registry')}"


def test_the_table_has_colours_and_the_terminals_width(tmp_path: Path) -> None:
    with answering(stale_source()) as (_, url):
        config = config_of(tmp_path, url)
        wide, code = at_a_terminal("once", config, "--format=table")
        narrow, _ = at_a_terminal("once", config, "--format=table", columns=40)
    assert code == 0
    assert "\x1b[1mIMAGE" in wide
    assert "LAST PULL" in wide
    assert "LAST PULL" not in narrow
    lines = plain(narrow.rpartition("\x1b[2K")[2]).split("\n")
    assert lines[0].split() == ["IMAGE", "RECLAIMABLE", "UNUSED"]
    assert max(map(len, lines[: lines.index("")])) <= 40


def test_no_color_is_honoured(tmp_path: Path) -> None:
    with answering(stale_source()) as (_, url):
        text, code = at_a_terminal("once", config_of(tmp_path, url), "--format=table", NO_COLOR="1")
    colours = {code for code in COLOUR.findall(text) if re.search(r"[;\[](3|4|9|10)\d", code)}
    assert code == 0
    assert colours == set()


def test_a_progress_bar_is_drawn_and_gone_in_the_end(tmp_path: Path) -> None:
    images = {f"image-{number}": [tag("v1")] for number in range(5)}
    with answering(source_of(**images)) as (registry, url):
        registry.delay = 0.3
        text, code = at_a_terminal("once", config_of(tmp_path, url), "--format=csv")
    assert code == 0
    assert re.search(r"polling .*\d/5", plain(text))
    last = text.rpartition("\x1b[2K")[2]
    assert "polling" not in last
    assert "image-4" in last


def test_a_bar_fits_a_narrow_terminal(tmp_path: Path) -> None:
    with answering(source_of(app=[tag("v1")])) as (registry, url):
        registry.delay = 0.2
        text, _ = at_a_terminal("once", config_of(tmp_path, url), "--format=csv", columns=45)
    drawn = [plain(part) for part in text.split("\x1b[2K") if "polling" in part]
    assert drawn
    assert max(map(len, drawn)) < 45


def test_a_dumb_terminal_gets_no_bar(tmp_path: Path) -> None:
    with answering(source_of(app=[tag("v1")])) as (_, url):
        text, _ = at_a_terminal("once", config_of(tmp_path, url), "--format=csv", term="dumb")
    assert "polling" not in text
    assert "\x1b" not in text


def test_a_log_that_was_asked_for_is_not_broken_by_a_bar(tmp_path: Path) -> None:
    with answering(source_of(app=[tag("v1")])) as (_, url):
        text, _ = at_a_terminal(
            "once", config_of(tmp_path, url), "--format=csv", "--log.level=debug"
        )
    assert "polling " not in text
    assert "poll succeeded" in text


def test_online_findings_have_colours(tmp_path: Path) -> None:
    with answering(source_of(app=[tag("v1")])) as (_, url):
        text, code = at_a_terminal("check", "--online", "--findings", config_of(tmp_path, url))
    assert code == 0
    assert "\x1b[32mok" in text
    assert "\x1b[1mFindings on the API" in text


def widest(text: str) -> int:
    """Return the columns of the longest line; of a progress bar, of what it is at the end."""
    return max(len(plain(line.rpartition("\x1b[2K")[2])) for line in text.splitlines())


@pytest.mark.parametrize("columns", [80, 60])
def test_everything_fits_the_terminal(columns: int, tmp_path: Path) -> None:
    entry = {"name": "my-registry", "images": ["nwe", "odl-*", "*"], "exclude": ["*/cache"]}
    with answering(stale_source()) as (_, url):
        config = f"--config.file={write_config(tmp_path, url, entry)}"
        for argv in (
            ("check", "--online", "--findings"),
            ("check", "--online"),
            ("once", "--stale"),
            ("once", "--format=table"),
        ):
            text, code = at_a_terminal(*argv, config, columns=columns)
            assert code == 1
            long = [line for line in plain(text).splitlines() if str(tmp_path) in line]
            rest = "\n".join(line for line in text.splitlines() if plain(line) not in long)
            assert widest(rest) <= columns, argv


def test_stale_tags_at_a_terminal_are_a_table_with_their_sum(tmp_path: Path) -> None:
    with answering(stale_source()) as (_, url):
        text, code = at_a_terminal("once", "--stale", config_of(tmp_path, url), columns=80)
    assert code == 0
    assert "my-registry/old" in plain(text)
    assert "4 stale tags, 10.0 kB that only they refer to" in plain(text)


def test_the_verdict_stands_last_and_what_to_do_above_it(tmp_path: Path) -> None:
    with answering(stale_source()) as (_, url):
        config = write_config(tmp_path, url, {"name": "my-registry", "images": ["nwe", "old"]})
        text, code = at_a_terminal("check", "--online", f"--config.file={config}", columns=80)
    assert code == 1
    lines = plain(text).splitlines()
    assert lines[-1] == "4 ok, 1 FAILED"
    start = lines.index("What to do")
    assert [line.strip() for line in lines[start + 1 :][:2]] == [
        "my-registry/nwe: the registry lists no image 'nwe'; did you mean 'new'?",
        "",
    ]
    before = " ".join(lines[:start])
    assert "HTTP 404/404: the status of the response, and the error code in its body." in before
    assert "--findings also prints what was learned" in before
