"""`--storage.path` of the real program: stopped while it writes, shared, or made to do harm."""

import signal
import zlib
from pathlib import Path

import msgspec
import pytest

from ncr_exporter.ncr.paths import RegistryPath
from ncr_exporter.state.file import read_state, write_state
from ncr_exporter.state.frames import ImageFrame
from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.program import LISTEN, Program, exporter
from tools.processes import peak_of

pytestmark = pytest.mark.unmeasured
IMAGES = [f"app-{number}" for number in range(5)]
ENTRY = {"name": "my-registry", "images": IMAGES, "interval": "1h"}
SLOW = """
import time
from ncr_exporter.runtime import stopping
from ncr_exporter.state import persistence
stopping._STORAGE_PATIENCE = 2.0
image_frame = persistence.image_frame
def slowly(state):
    time.sleep({seconds})
    return image_frame(state)
persistence.image_frame = slowly
from ncr_exporter.cli.main import run
run()
"""


def stopped_while_it_writes(tmp_path: Path, seconds: float) -> tuple[int, float, list[str]]:
    """Return the exit code, the seconds it took, and the log; an image takes `seconds` to write."""
    with answering(source_of(**{image: [tag("v1")] for image in IMAGES})) as (_, url):
        config = write_config(tmp_path, url, ENTRY)
        start = ("-c", SLOW.format(seconds=seconds))
        argv = (f"--config.file={config}", f"--storage.path={tmp_path / 'state'}", LISTEN)
        with Program(*argv, start=start) as program:
            program.ready()
            code, took = program.stop(signal.SIGTERM)
            return code, took, program.log


def test_a_stop_waits_for_the_state_as_long_as_it_is_being_written(tmp_path: Path) -> None:
    code, seconds, log = stopped_while_it_writes(tmp_path, 1.0)
    assert code == 0
    assert seconds > 4, "longer than what hangs may take"
    assert not [line for line in log if "level=warn" in line and "secret" not in line]
    frames = read_state(tmp_path / "state" / "ncr-exporter.state")
    assert sum(b"app-" in frame for frame in frames) == len(IMAGES)


def test_a_write_that_hangs_is_cut_with_a_warning_and_exit_code_1(tmp_path: Path) -> None:
    code, seconds, log = stopped_while_it_writes(tmp_path, 60.0)
    assert code == 1
    assert seconds < 8
    (line,) = [line for line in log if "it hung" in line]
    assert "level=warn" in line
    assert "--storage.path" in line


def test_a_stop_while_the_state_is_read_neither_waits_for_it_nor_writes(tmp_path: Path) -> None:
    state = tmp_path / "state" / "ncr-exporter.state"
    state.parent.mkdir()
    write_state(state, [b"no frame"] * 900_000)
    before = state.read_bytes()
    with answering(source_of(app=[tag("v1")])) as (registry, url):
        config = write_config(tmp_path, url, "my-registry")
        with exporter(config, f"--storage.path={state.parent}") as program:
            assert program.get("/-/healthy").status_code == 200
            assert program.get("/-/ready").status_code == 503
            code, seconds = program.stop()
    assert (code, list(registry.requests)) == (0, [])
    assert seconds < 3
    assert state.read_bytes() == before


def test_a_second_exporter_on_the_same_path_says_so_and_shows_it(tmp_path: Path) -> None:
    with answering(source_of(app=[tag("v1")])) as (_, url):
        storage = f"--storage.path={tmp_path / 'state'}"
        config = write_config(tmp_path, url, {"name": "my-registry", "images": ["app"]})
        with exporter(config, storage) as first, exporter(config, storage) as second:
            first.ready()
            second.ready()
            (line,) = [line for line in second.log if "another process" in line]
            assert "--storage.path" in line
            assert second.stop()[0] == 0
            second.wait_for_line("state not stored")
            assert not (tmp_path / "state" / "ncr-exporter.state").exists()
            assert first.stop()[0] == 0
            assert (tmp_path / "state" / "ncr-exporter.state").exists()


MIB = 2**20


def image_of(chunk: bytes) -> bytes:
    """Return the frame of an image with one chunk of tags."""
    registry = RegistryPath("my-registry", "my-registry", "kr")
    return msgspec.msgpack.encode(ImageFrame("public", registry, "app", 1.0, (chunk,)))


def zeros(mebibytes: int) -> bytes:
    """Return what inflates to so much; a block is compressed once and repeated."""
    compressor = zlib.compressobj()
    first, again = (
        compressor.compress(b"\0" * MIB) + compressor.flush(zlib.Z_FULL_FLUSH) for _ in range(2)
    )
    return first + again * (mebibytes - 1)


SAME_TAGS = zlib.compress(msgspec.msgpack.encode([["v1"]] * 300_000))
BOMBS = {
    "a chunk that inflates to a gibibyte": [image_of(zeros(1024))],
    "a chunk of equal tags": [image_of(SAME_TAGS)],
    "frames of the largest size": [b"\x91" * 16 * MIB] * 20,
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_was_made_to_take_memory_is_left_out_in_50_mib(name: str, tmp_path: Path) -> None:
    state = tmp_path / "state" / "ncr-exporter.state"
    state.parent.mkdir()
    write_state(state, BOMBS[name])
    with answering(source_of(app=[tag("v1")])) as (_, url):
        config = write_config(tmp_path, url, "my-registry")
        with exporter(config, f"--storage.path={state.parent}") as program:
            before = peak_of(program.process.pid)
            line = program.wait_for_line("stored state read", 60)
            program.ready()
            assert f"images=0 refused={len(BOMBS[name])}" in line
            assert peak_of(program.process.pid) - before < 50


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    state = tmp_path / "state" / "ncr-exporter.state"
    state.parent.mkdir()
    with state.open("wb") as file:
        file.truncate(1025 * MIB)
    with answering(source_of(app=[tag("v1")])) as (_, url):
        config = write_config(tmp_path, url, "my-registry")
        with exporter(config, f"--storage.path={state.parent}") as program:
            assert "larger than any state" in program.wait_for_line("stored state not used")
            program.ready()
            assert state.with_name("ncr-exporter.state.damaged").exists()
