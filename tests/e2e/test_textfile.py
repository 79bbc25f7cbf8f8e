"""What Debian's node_exporter says to a file that `once` wrote."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support import prometheus
from tests.support.api_thread import answering, write_config
from tests.support.expositions import samples_of
from tests.support.in_process import run
from tools.get_node_exporter import find_node_exporter


@contextmanager
def node_exporter(directory: Path) -> Iterator[str]:
    """Run Debian's node_exporter with nothing but its textfile collector; give its metrics' URL."""
    program = find_node_exporter()
    assert program is not None, "the mark node_exporter leaves a test out where it is missing"
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(  # noqa: S603 -- fixed words, no shell
        [
            str(program),
            f"--web.listen-address={address}",
            "--collector.disable-defaults",
            "--collector.textfile",
            f"--collector.textfile.directory={directory}",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield f"http://{address}/metrics"
    finally:
        process.terminate()
        _, err = process.communicate(timeout=10)
    assert "level=error" not in err, err


def scraped(url: str) -> str:
    deadline = time.monotonic() + 15
    while True:
        try:
            return httpx.get(url, trust_env=False).text
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def written(tmp_path: Path) -> Path:
    """Write the demo's inventory as a cron job would; return the file."""
    directory = tmp_path / "textfile"
    directory.mkdir()
    file = directory / "ncr.prom"
    with answering() as (_, url):
        config = write_config(tmp_path, url, "demo-registry", "demo-base")
        done = run("once", f"--config.file={config}", f"--output={file}")
    assert done.returncode == 0, done.stderr
    return file


@pytest.mark.node_exporter
def test_node_exporter_publishes_every_series_as_it_is(tmp_path: Path) -> None:
    file = written(tmp_path)
    with node_exporter(file.parent) as url:
        text = scraped(url)
    published = {key: value for key, value in samples_of(text).items() if key[0].startswith("ncr_")}
    assert published == samples_of(file.read_text())
    assert len(published) > 300
    assert "node_textfile_scrape_error 0" in text


@pytest.mark.prometheus
def test_promtool_finds_no_fault_with_the_file(tmp_path: Path) -> None:
    assert prometheus.check_metrics(written(tmp_path).read_bytes()) == ""
