"""`once` while the API is out of order: the last good data outlives it, with its true age."""

import csv
import io
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ncr_exporter.simulator.data import FixedSource
from ncr_exporter.simulator.faults import FAULTS
from tests.support import in_process, program
from tests.support.api_client import Fleet, source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.expositions import samples_of

TWO_TAGS = [tag("v1", size=1000), tag("v2", size=3000)]
APP = (("image", "app"), ("registry", "my-registry"))
WEB = (("image", "web"), ("registry", "my-registry"))
OUTAGES = ["reset", "unavailable", "wrong-key", "html", "not-found"]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def once(
    config: Path, output: Path, *argv: str, run: Run = in_process.run
) -> subprocess.CompletedProcess[str]:
    done = run("once", f"--config.file={config}", f"--output={output}", *argv)
    assert "Traceback" not in done.stderr
    return done


def stored_in(directory: Path) -> str:
    return f"--storage.path={directory / 'state'}"


@pytest.mark.parametrize(
    ("fault", "run"),
    [("reset", program.run), *((fault, in_process.run) for fault in OUTAGES)],
    ids=["a process of its own", *OUTAGES],
)
def test_without_storage_an_outage_leaves_the_good_file(
    fault: str, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "ncr.prom"
    with answering(source_of(app=TWO_TAGS)) as (registry, url):
        config = write_config(tmp_path, url, "my-registry")
        assert once(config, file, run=run).returncode == 0
        good, written = file.read_bytes(), file.stat().st_mtime_ns
        registry.fault = FAULTS[fault]
        done = once(config, file, run=run)
    assert done.returncode == 1
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (good, written)
    first, second = done.stderr.splitlines()
    assert first == f"ncr-exporter: nothing could be listed, so {file} stays as it was"
    assert "my-registry failed: " in second


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_a_report_that_is_good_outlives_an_outage_too(form: str, tmp_path: Path) -> None:
    file = tmp_path / "report"
    with answering(source_of(app=TWO_TAGS)) as (registry, url):
        config = write_config(tmp_path, url, "my-registry")
        once(config, file, f"--format={form}")
        good = file.read_bytes()
        registry.fault = FAULTS["reset"]
        assert once(config, file, f"--format={form}").returncode == 1
    assert file.read_bytes() == good


def test_lists_without_any_tags_are_no_reason_to_replace_it_either(tmp_path: Path) -> None:
    file = tmp_path / "ncr.prom"
    with answering(source_of(app=TWO_TAGS, web=TWO_TAGS)) as (registry, url):
        config = write_config(tmp_path, url, "my-registry")
        once(config, file)
        good = file.read_bytes()
        registry.faults.add(FAULTS["unavailable"], where="/tags?")
        assert once(config, file).returncode == 1
    assert file.read_bytes() == good


def test_where_there_is_no_file_yet_an_outage_shows_in_a_new_one(tmp_path: Path) -> None:
    file = tmp_path / "ncr.prom"
    with answering(source_of(app=TWO_TAGS)) as (registry, url):
        registry.fault = FAULTS["reset"]
        config = write_config(tmp_path, url, {"name": "my-registry", "images": ["app"]})
        assert once(config, file).returncode == 1
    assert samples_of(file.read_text())["ncr_image_up", APP] == 0


def test_a_registry_without_images_is_no_outage(tmp_path: Path) -> None:
    file = tmp_path / "ncr.prom"
    file.write_text("before")
    with answering(source_of()) as (_, url):
        done = once(write_config(tmp_path, url, "my-registry"), file)
    assert (done.returncode, "the registry is empty" in done.stderr) == (0, True)
    assert samples_of(file.read_text())["ncr_registry_images", (("registry", "my-registry"),)] == 0


def test_without_storage_what_succeeds_replaces_the_file(tmp_path: Path) -> None:
    file = tmp_path / "ncr.prom"
    with answering(source_of(app=TWO_TAGS, web=TWO_TAGS)) as (registry, url):
        config = write_config(tmp_path, url, "my-registry")
        once(config, file)
        registry.faults.add(FAULTS["unavailable"], where="/app/tags?")
        assert once(config, file).returncode == 1
    samples = samples_of(file.read_text())
    assert samples["ncr_image_tags", WEB] == 2
    assert ("ncr_image_tags", APP) not in samples
    assert samples["ncr_image_up", APP] == 0


@pytest.mark.parametrize("fault", OUTAGES)
@pytest.mark.parametrize(
    "entry",
    ["my-registry", {"name": "my-registry", "images": ["app"]}, {"name": "*"}],
    ids=["found", "named", "every registry"],
)
def test_with_storage_all_stands_in_an_outage_with_its_true_age(
    entry: str | Mapping[str, Any], fault: str, tmp_path: Path
) -> None:
    file, storage = tmp_path / "ncr.prom", stored_in(tmp_path)
    with answering(source_of(app=TWO_TAGS)) as (registry, url):
        config = write_config(tmp_path, url, entry)
        assert once(config, file, storage).returncode == 0
        good = samples_of(file.read_text())
        registry.fault = FAULTS[fault]
        for _ in range(2):  # what was kept is kept once more
            done = once(config, file, storage)
            assert done.returncode == 1
            assert "failed: " in done.stderr
    samples = samples_of(file.read_text())
    assert (good["ncr_image_up", APP], samples["ncr_image_up", APP]) == (1, 0)
    for name in (
        "ncr_image_tags",
        "ncr_image_size_bytes",
        "ncr_image_last_pulled_timestamp_seconds",
        "ncr_image_last_success_timestamp_seconds",
    ):
        assert samples[name, APP] == good[name, APP], name
    tags = {key: value for key, value in good.items() if key[0].startswith("ncr_tag_")}
    assert tags
    assert tags.items() <= samples.items()


def test_with_storage_an_image_that_fails_keeps_its_values_beside_fresh_ones(
    tmp_path: Path,
) -> None:
    file, storage = tmp_path / "ncr.prom", stored_in(tmp_path)
    fleet = Fleet(**{"my-registry": {"app": TWO_TAGS, "web": TWO_TAGS}})
    with answering(fleet) as (registry, url):
        config = write_config(tmp_path, url, "my-registry")
        once(config, file, storage, run=program.run)
        good = samples_of(file.read_text())
        fleet.content["my-registry"] = {"app": TWO_TAGS[:1], "web": TWO_TAGS[:1]}
        registry.faults.add(FAULTS["unavailable"], where="/app/tags?")
        time.sleep(0.01)  # so that a new success has another moment
        assert once(config, file, storage, run=program.run).returncode == 1
        samples = samples_of(file.read_text())
        registry.faults.clear()
        assert once(config, file, storage, run=program.run).returncode == 0
    success = "ncr_image_last_success_timestamp_seconds"
    assert (samples["ncr_image_tags", APP], samples["ncr_image_tags", WEB]) == (2, 1)
    assert samples[success, APP] == good[success, APP]
    assert samples[success, WEB] > good[success, WEB]
    healed = samples_of(file.read_text())
    assert (healed["ncr_image_tags", APP], healed["ncr_image_up", APP]) == (1, 1)


def test_with_storage_an_image_that_was_deleted_does_not_stand(tmp_path: Path) -> None:
    file, storage = tmp_path / "ncr.prom", stored_in(tmp_path)
    fleet = Fleet(**{"my-registry": {"app": TWO_TAGS, "web": TWO_TAGS}})
    with answering(fleet) as (_, url):
        config = write_config(tmp_path, url, "my-registry")
        once(config, file, storage)
        del fleet.content["my-registry"]["web"]
        done = once(config, file, storage)
    samples = samples_of(file.read_text())
    assert (done.returncode, done.stderr) == (0, "")
    assert samples["ncr_image_tags", APP] == 2
    assert {key[0] for key in samples if key[1] == WEB} == {"ncr_image_present"}
    assert samples["ncr_image_present", WEB] == 0


def test_a_report_has_the_last_good_values_and_why_they_are_old(tmp_path: Path) -> None:
    file, storage = tmp_path / "report.csv", stored_in(tmp_path)
    with answering(source_of(app=TWO_TAGS)) as (registry, url):
        config = write_config(tmp_path, url, "my-registry")
        once(config, file, storage, "--format=csv")
        (good,) = csv.DictReader(io.StringIO(file.read_text()))
        registry.fault = FAULTS["unavailable"]
        assert once(config, file, storage, "--format=csv").returncode == 1
    (row,) = csv.DictReader(io.StringIO(file.read_text()))
    assert (good["up"], row["up"], row["failure_reason"]) == ("true", "false", "server")
    assert [row[name] for name in ("tags", "size_bytes", "last_success")] == [
        good[name] for name in ("tags", "size_bytes", "last_success")
    ]


def test_a_directory_that_cannot_be_used_is_refused_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    (tmp_path / "state").write_text("a file")
    with answering(source_of(app=TWO_TAGS)) as (registry, url):
        config = write_config(tmp_path, url, "my-registry")
        done = once(config, tmp_path / "ncr.prom", stored_in(tmp_path))
        assert not registry.requests
    assert done.returncode == 2
    assert done.stderr.startswith("ncr-exporter: --storage.path: ")


class Meddling(FixedSource):
    """A source during whose first answer somebody takes the place of the state file."""

    place: Path

    def tags(self, registry: str, image: str, now_ms: float, /) -> list[dict[str, Any]]:
        (self.place / "in-the-way").mkdir(parents=True, exist_ok=True)
        return list(super().tags(registry, image, now_ms))


def test_data_that_cannot_be_kept_is_said_and_the_exit_code_is_1(tmp_path: Path) -> None:
    file = tmp_path / "ncr.prom"
    source = Meddling("my-registry", {"app": TWO_TAGS})
    source.place = tmp_path / "state" / "ncr-exporter.state"
    with answering(source) as (_, url):
        done = once(write_config(tmp_path, url, "my-registry"), file, stored_in(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("ncr-exporter: --storage.path: cannot write ")
    assert samples_of(file.read_text())["ncr_image_tags", APP] == 2
