"""What Debian's node_exporter says to a file that `once` wrote."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support import prometheus, rules
from tests.support.api_thread import answering, write_config
from tests.support.expositions import samples_of
from tests.support.in_process import run
from tests.support.prometheus import RunningPrometheus, job
from tools.get_node_exporter import textfile_collector
from tools.processes import free_port, ready


@contextmanager
def node_exporter(directory: Path) -> Iterator[str]:
    """Run Debian's node_exporter with nothing but its textfile collector; give its metrics' URL."""
    address, log = f"127.0.0.1:{free_port()}", directory.with_suffix(".log")
    with ready(*textfile_collector(address, directory), at=f"http://{address}/metrics", log=log):
        yield f"http://{address}/metrics"
    assert "level=error" not in log.read_text()


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
        text = httpx.get(url, trust_env=False).text
    published = {key: value for key, value in samples_of(text).items() if key[0].startswith("ncr_")}
    assert published == samples_of(file.read_text())
    assert len(published) > 300
    assert "node_textfile_scrape_error 0" in text


@pytest.mark.prometheus
def test_promtool_finds_no_fault_with_the_file(tmp_path: Path) -> None:
    assert prometheus.check_metrics(written(tmp_path).read_bytes()) == ""


LAST_SUCCESS = re.compile(r"^(ncr_image_last_success_timestamp_seconds\{.*\}) (\S+)$", re.MULTILINE)


@pytest.mark.prometheus
@pytest.mark.node_exporter
def test_a_timer_that_is_dead_for_30_hours_pages(tmp_path: Path) -> None:
    file = written(tmp_path)
    before = LAST_SUCCESS.sub(
        lambda found: f"{found[1]} {float(found[2]) - 30 * 3600}", file.read_text()
    )
    assert before != file.read_text()
    file.write_text(before)
    with (
        node_exporter(file.parent) as url,
        RunningPrometheus(
            job("node", httpx.URL(url).netloc.decode()), rule_files=rules.hurried(tmp_path)
        ) as found,
    ):
        firing = found.wait_for('ALERTS{alertname="NCRDataOld",alertstate="firing"}')
        assert {(x["metric"]["job"], x["metric"]["registry"]) for x in firing} == {
            ("node", "demo-registry"),
            ("node", "demo-base"),
        }
        assert not found.query('ALERTS{alertname="NCRExporterNeverScraped"}')
