"""`once`, as a user runs it: everything polled once, printed or written, and an exit code."""

import csv
import io
import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ncr_exporter.simulator.faults import FAULTS
from ncr_exporter.simulator.registry import SimulatedRegistry
from tests.support import in_process as inprocess
from tests.support import program
from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, throttled_for, write_config
from tests.support.expositions import families_of, samples_of

DAY_MS = 86_400_000
LONG_AGO = 1_500_000_000_000
Run = Callable[..., "subprocess.CompletedProcess[str]"]
TWO_TAGS = [tag("v1", size=1000), tag("v2", size=3000)]


def once(config: Path, *argv: str, run: Run = inprocess.run) -> subprocess.CompletedProcess[str]:
    done = run("once", f"--config.file={config}", *argv)
    assert "Traceback" not in done.stderr
    return done


def stale_source() -> Any:
    """Return `old` with four stale tags besides the three kept, and `new` with one tag."""
    old = [
        tag(f"v{n}", size=1000 * n, pulled=LONG_AGO + n, last_updated=LONG_AGO - DAY_MS * (9 - n))
        for n in range(1, 8)
    ]
    now = round(time.time() * 1000)
    return source_of(old=old, new=[tag("v1", pulled=now - DAY_MS, last_updated=now - DAY_MS)])


def test_the_exposition_holds_every_image_and_how_asking_went(tmp_path: Path) -> None:
    with answering(source_of(app=TWO_TAGS, web=[tag("v1")])) as (_, url):
        done = once(write_config(tmp_path, url, "my-registry"), run=program.run)
    assert (done.returncode, done.stderr) == (0, "")
    samples = samples_of(done.stdout)
    app = (("image", "app"), ("registry", "my-registry"))
    assert samples["ncr_image_tags", app] == 2
    assert samples["ncr_image_up", app] == 1
    assert ("ncr_image_last_pulled_age_seconds", app) in samples
    asked = (("operation", "tag_list"), ("registry", "my-registry"))
    assert samples["ncr_api_requests_total", asked] == 2
    limit = (("registry", "my-registry"),)
    assert samples["ncr_api_requests_per_second_limit", limit] == 500


def test_each_thing_is_asked_for_once_however_short_its_interval(tmp_path: Path) -> None:
    entry = {"name": "my-registry", "interval": "1s", "expire_after": "3s"}
    with answering(source_of(a=TWO_TAGS, b=TWO_TAGS, c=TWO_TAGS)) as (registry, url):
        registry.delay = 0.3
        done = once(write_config(tmp_path, url, entry, max_concurrency=1))
        targets = [seen.target.partition("?")[0] for seen in registry.requests]
    assert len(targets) == len(set(targets)) == 5
    names = {sample.name for family in families_of(done.stdout) for sample in family.samples}
    assert "ncr_image_tags" in names


def test_a_file_for_the_textfile_collector_holds_the_inventory_alone(tmp_path: Path) -> None:
    file = tmp_path / "ncr.prom"
    file.write_text("before")
    file.chmod(0o600)
    with answering(source_of(app=TWO_TAGS)) as (_, url):
        config = write_config(tmp_path, url, "my-registry")
        done = once(config, f"--output={file}", run=program.run)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = file.read_text()
    names = {sample.name for family in families_of(text) for sample in family.samples}
    assert {"ncr_image_tags", "ncr_tag_size_bytes", "ncr_registry_up", "ncr_image_up"} <= names
    assert not [name for name in names if name.startswith(("process_", "python_", "ncr_api_"))]
    assert "ncr_image_last_pulled_age_seconds" not in text
    assert " info\n" not in text
    timestamps = [sample.timestamp for family in families_of(text) for sample in family.samples]
    assert set(timestamps) == {None}
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ncr-exporter.yml", "ncr.prom"]


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("nowhere/ncr.prom", "No such file or directory"),
        ("ncr-exporter.yml/ncr.prom", "Not a directory"),
        (".", "it is not a regular file"),
        ("/dev/null", "it is not a regular file"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_asked(
    output: str, why: str, tmp_path: Path
) -> None:
    with answering(source_of(app=TWO_TAGS)) as (registry, url):
        config = write_config(tmp_path, url, "my-registry")
        done = once(config, f"--output={tmp_path / output}")
        assert not registry.requests
    assert done.returncode == 1
    assert done.stderr == f"ncr-exporter: cannot write {tmp_path / output}: {why}\n"


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    target, link = tmp_path / "ncr.prom", tmp_path / "link.prom"
    link.symlink_to(target)
    with answering(source_of(app=TWO_TAGS)) as (_, url):
        done = once(write_config(tmp_path, url, "my-registry"), f"--output={link}")
    assert (done.returncode, done.stderr) == (0, "")
    assert link.is_symlink()
    assert "ncr_image_tags" in target.read_text()


def test_links_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    link = tmp_path / "link.prom"
    link.symlink_to(link)
    config = write_config(tmp_path, "http://127.0.0.1:1", "my-registry")
    done = once(config, f"--output={link}")
    assert done.returncode in {1, 2}
    assert done.stderr.startswith(f"ncr-exporter: cannot write {link}: ")


def test_what_failed_is_said_and_what_succeeded_is_printed(tmp_path: Path) -> None:
    entry = {"name": "my-registry", "images": ["app", "gone", "gone-too"]}
    with answering(source_of(app=TWO_TAGS)) as (_, url):
        done = once(write_config(tmp_path, url, entry), "--format=csv", run=program.run)
    assert done.returncode == 1
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["image"], row["up"], row["tags"]) for row in rows] == [
        ("app", "true", "2"),
        ("gone", "false", ""),
        ("gone-too", "false", ""),
    ]
    assert rows[1]["failure_reason"] == "not_found"
    lines = done.stderr.splitlines()
    assert [line.partition(" failed")[0] for line in lines] == [
        "ncr-exporter: my-registry/gone",
        "ncr-exporter: my-registry/gone-too",
    ]
    assert "check the names of registry and image" in lines[0]


# A fault, and what stands on stderr: what is wrong, and what to do.
FAULT_WORDS = {
    "wrong-key": "check the access key and secret key",
    "denied": "NCP_CONTAINER_REGISTRY_VIEWER",
    "not-found": "region and zone",
    "unavailable": "usually passes",
    "reset": "DNS, firewall and proxy",
    "html": "rewrites answers",
    "truncated": "cut short",
}


@pytest.mark.parametrize("fault", FAULT_WORDS)
def test_every_failure_is_one_line_with_its_remedy_and_exit_code_1(
    fault: str, tmp_path: Path
) -> None:
    with answering(source_of(app=TWO_TAGS)) as (registry, url):
        registry.fault = FAULTS[fault]
        done = once(write_config(tmp_path, url, "my-registry"), "--format=table")
    assert done.returncode == 1
    assert done.stdout == "0 images, 0 tags, 0 B\n"
    (line,) = done.stderr.splitlines()
    assert line.startswith("ncr-exporter: my-registry failed: ")
    assert FAULT_WORDS[fault] in line


def test_many_failures_of_one_kind_are_one_line(tmp_path: Path) -> None:
    images = [f"app-{number}" for number in range(9)]
    with answering(source_of(**dict.fromkeys(images, TWO_TAGS))) as (registry, url):
        registry.faults.add(FAULTS["denied"], where="/tags?")
        done = once(write_config(tmp_path, url, {"name": "my-registry", "images": images}))
    (line,) = done.stderr.splitlines()
    assert "my-registry/app-0, my-registry/app-1" in line
    assert "and 4 more failed: HTTP 401/210 Permission Denied" in line
    assert done.returncode == 1


def test_a_list_that_no_glob_needs_may_fail(tmp_path: Path) -> None:
    with answering(source_of(app=TWO_TAGS)) as (registry, url):
        registry.faults.add(FAULTS["denied"], where="my-registry?")
        done = once(write_config(tmp_path, url, {"name": "my-registry", "images": ["app"]}))
        assert done.returncode == 0
        assert "my-registry failed: HTTP 401/210" in done.stderr
        assert once(write_config(tmp_path, url, "my-registry")).returncode == 1


def test_a_pause_that_the_api_asks_for_is_waited_for(tmp_path: Path) -> None:
    throttle = FAULTS["throttle"]  # Retry-After: 2
    with answering(source_of(a=TWO_TAGS, b=TWO_TAGS, c=TWO_TAGS)) as (registry, url):
        registry.faults.add(throttle, where="/tags?", times=1)
        started = time.monotonic()
        done = once(write_config(tmp_path, url, "my-registry"), "--format=csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 4
    assert time.monotonic() - started > 2


def test_a_pause_that_is_too_long_is_not(tmp_path: Path) -> None:
    with answering(source_of(a=TWO_TAGS)) as (registry, url):
        registry.fault = throttled_for(3600)
        started = time.monotonic()
        done = once(write_config(tmp_path, url, "my-registry"))
    assert done.returncode == 1
    assert "requests_per_second" in done.stderr
    assert time.monotonic() - started < 15


def test_json_says_what_was_found_and_what_failed(tmp_path: Path) -> None:
    entry = {"name": "my-registry", "images": ["*", "gone"]}
    with answering(stale_source()) as (_, url):
        done = once(write_config(tmp_path, url, entry), "--format=json")
    content = json.loads(done.stdout)
    assert sorted(content) == ["failures", "generated", "generated_timestamp_seconds", "images"]
    old, new, gone = content["images"]
    assert (old["image"], old["stale_tags"], old["reclaimable_bytes"]) == ("old", 4, 10_000)
    assert old["last_pulled"] == "2017-07-14T02:40:00Z"
    assert old["last_pulled_timestamp_seconds"] == 1_500_000_000.007
    assert (new["image"], new["stale_tags"]) == ("new", 0)
    assert (gone["up"], gone["tags"]) == (False, None)
    (failure,) = content["failures"]
    assert failure["place"] == "my-registry/gone"
    assert sorted(failure) == ["failure", "place", "reason", "remedy"]


def test_stale_tags_are_reported_largest_first(tmp_path: Path) -> None:
    with answering(stale_source()) as (_, url):
        config = write_config(tmp_path, url, "my-registry")
        table = once(config, "--format=table", "--stale").stdout.splitlines()
        rows = list(csv.DictReader(io.StringIO(once(config, "--format=csv", "--stale").stdout)))
        content = json.loads(once(config, "--format=json", "--stale").stdout)
    assert [row["tag"] for row in rows] == ["v4", "v3", "v2", "v1"]
    assert [entry["tag"] for entry in content["stale_tags"]] == ["v4", "v3", "v2", "v1"]
    assert rows[0]["size_bytes"] == "4000"
    assert table[0].split() == ["IMAGE", "TAG", "SIZE", "UNUSED", "LAST", "PULL"]
    assert table[1].split()[:4] == ["my-registry/old", "v4", "4.00", "kB"]
    assert "4 stale tags, 10.0 kB that only they refer to" in table


HOST = "my-registry.kr.ncr.ntruss.com"


def test_what_could_go_and_why_not_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "running.txt"
    file.write_text(f"{HOST}/old:v2 nginx:1.27 {HOST}/old@sha256:v3\n")
    with answering(stale_source()) as (_, url):
        entry = {"name": "my-registry", "owner": "shop"}
        config = write_config(tmp_path, url, entry)
        done = once(config, "--format=csv", "--tags", f"--in-use={file}", run=program.run)
        table = once(config, "--format=table", "--tags", f"--in-use={file}").stdout
        content = json.loads(once(config, "--format=json", "--stale", f"--in-use={file}").stdout)
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["tag"]: row["verdict"] for row in rows if row["image"] == "old"} == {
        "v7": "kept: recent",
        "v6": "kept: recent",
        "v5": "kept: recent",
        "v4": "stale",
        "v3": "in use",
        "v2": "in use",
        "v1": "stale",
    }
    assert {row["owner"] for row in rows} == {"shop"}
    assert "8 tags, 2 stale tags" in table
    assert "3 references in use: 2 placed, 1 not placed" in table
    assert [entry["tag"] for entry in content["stale_tags"]] == ["v4", "v1"]
    assert content["in_use"] == {"references": 3, "placed": 2, "not_placed": 1}


@pytest.mark.parametrize("given", ["", "  \n\n", "error:(no,pods)"])
def test_a_list_of_what_runs_that_names_nothing_is_refused(given: str, tmp_path: Path) -> None:
    file = tmp_path / "running.txt"
    file.write_text(given)
    with answering(stale_source()) as (registry, url):
        config = write_config(tmp_path, url, "my-registry")
        done = once(config, "--format=table", "--stale", f"--in-use={file}")
        assert not registry.requests
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{file}: holds no image reference" in done.stderr


def test_a_list_of_what_runs_that_is_missing_is_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:1", "my-registry")
    done = once(config, "--format=table", "--stale", "--in-use=/nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ncr-exporter: cannot read /nowhere: No such file or directory\n"


def test_what_runs_comes_from_a_pipe_and_hosts_that_are_not_known_are_named(
    tmp_path: Path,
) -> None:
    with answering(stale_source()) as (_, url):
        config = write_config(tmp_path, url, "my-registry")
        running = f"0123abcd.kr.private-ncr.ntruss.com/old:v1\n{HOST}/old:v4\n"
        argv = ("--format=csv", "--stale", "--in-use=-")
        done = program.run("once", f"--config.file={config}", *argv, stdin=running)
    tags = [row["tag"] for row in csv.DictReader(io.StringIO(done.stdout))]
    assert tags == ["v3", "v2", "v1"]
    assert "the host 0123abcd.kr.private-ncr.ntruss.com: what runs from there is not" in done.stderr


def test_a_report_may_go_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    with answering(source_of(app=TWO_TAGS)) as (_, url):
        done = once(write_config(tmp_path, url, "my-registry"), "--format=csv", f"--output={file}")
    assert (done.returncode, done.stdout) == (0, "")
    assert file.read_text().startswith("registry,image,owner,up,tags,")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--stale", "--format=prometheus"], "--stale: needs --format=table, json or csv"),
        (["--tags", "--output=x"], "--tags: needs --format=table, json or csv"),
        (["--tags", "--stale", "--format=csv"], "--stale and --tags: name one of them"),
        (["--in-use=-", "--format=csv"], "--in-use: needs --stale or --tags"),
        (["--format=xml"], "--format: must be one of prometheus, table, json, csv, not 'xml'"),
        (["--stale=perhaps", "--format=csv"], "--stale: must be true or false, not 'perhaps'"),
        (["--config.file=/nowhere.yml"], "/nowhere.yml: cannot be read"),
    ],
)
def test_wrong_usage_exits_2(argv: list[str], said: str, tmp_path: Path) -> None:
    done = once(write_config(tmp_path, "http://127.0.0.1:1", "a"), *argv)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_without_a_key_it_exits_2(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:1", "a", keys={})
    environ = {"HOME": str(tmp_path), "NCLOUD_ACCESS_KEY": "", "NCLOUD_ACCESS_KEY_ID": ""}
    done = program.run("once", f"--config.file={config}", environ=environ)
    assert done.returncode == 2
    assert "no API key" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["prometheus", "table"])
def test_a_reader_that_leaves_early_is_no_traceback(form: str, tmp_path: Path) -> None:
    with answering(source_of(app=TWO_TAGS)) as (_, url):
        config = write_config(tmp_path, url, "my-registry")
        argv = [sys.executable, "-m", "ncr_exporter", "once", f"--config.file={config}"]
        process = subprocess.Popen(  # noqa: S603 -- our own program with a test's words
            [*argv, f"--format={form}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_at_once_and_writes_nothing(
    number: signal.Signals, tmp_path: Path
) -> None:
    file = tmp_path / "ncr.prom"
    file.write_text("before")
    with answering(source_of(app=TWO_TAGS)) as (registry, url):
        registry.fault = FAULTS["hang"]
        config = write_config(tmp_path, url, "my-registry")
        argv = ["once", f"--config.file={config}", f"--output={file}"]
        process = subprocess.Popen(  # noqa: S603 -- our own program with a test's words
            [sys.executable, "-m", "ncr_exporter", *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        _wait_for_a_request(registry)
        started = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=15)
        assert time.monotonic() - started < 5
    assert process.returncode == 128 + number
    assert (out, err) == ("", "ncr-exporter: interrupted\n")
    assert file.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ncr-exporter.yml", "ncr.prom"]


def _wait_for_a_request(registry: SimulatedRegistry) -> None:
    deadline = time.monotonic() + 15
    while not registry.requests:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_secret_appears_even_at_debug(tmp_path: Path) -> None:
    keys = {"access_key": "CANARY-ACCESS", "secret_key": "CANARY-SECRET"}
    with answering(source_of(app=TWO_TAGS)) as (_, url):
        config = write_config(tmp_path, url, "my-registry", keys=keys)
        done = once(config, "--log.level=debug", "--format=json")
    assert done.returncode == 1
    assert "CANARY" not in done.stdout + done.stderr


def test_patterns_that_match_nothing_are_named_and_fail_nothing(tmp_path: Path) -> None:
    entry = {"name": "my-registry", "images": ["taem/*", "api"], "exclude": ["*/wbe"]}
    source = source_of(**{"api": TWO_TAGS, "team/web": TWO_TAGS})
    with answering(source) as (_, url):
        done = once(write_config(tmp_path, url, entry), "--format=csv")
        logged = once(write_config(tmp_path, url, entry), "--format=csv", "--log.level=warn")
    assert done.returncode == 0
    told = "ncr-exporter: warning: my-registry: no image matches"
    assert done.stderr.splitlines() == [
        f"{told} 'taem/*'; did you mean 'team/*'?",
        f"{told} '*/wbe' of `exclude`; did you mean '*/web'?",
    ]
    assert "ncr-exporter: warning" not in logged.stderr
    assert logged.stderr.count("did you mean") == 2


def test_an_empty_registry_is_said_to_be_empty(tmp_path: Path) -> None:
    with answering(source_of()) as (_, url):
        done = once(write_config(tmp_path, url, "my-registry"), "--format=csv")
    what = "the registry is empty: it has no images"
    assert (done.returncode, done.stderr) == (0, f"ncr-exporter: warning: my-registry: {what}\n")


def test_what_runs_is_no_part_of_the_sum_of_stale_tags(tmp_path: Path) -> None:
    file = tmp_path / "running.txt"
    file.write_text(f"{HOST}/old:v4\n")
    with answering(stale_source()) as (_, url):
        config = write_config(tmp_path, url, "my-registry")
        done = once(config, "--stale", f"--in-use={file}")
    assert "3 stale tags, 6.00 kB that only they refer to" in done.stdout.splitlines()
