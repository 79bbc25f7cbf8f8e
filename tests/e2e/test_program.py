"""The real program in a process of its own: start, publish, fail with words, stop."""

import json
import re
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.support.api_thread import answering, write_config
from tests.support.program import Program, demo, exporter, run

GOOD = """
api: {{base_url: "{url}", timeout: 60s}}
credentials: {{access_key: MADE-UP-ACCESS, secret_key: MADE-UP-SECRET}}
registries:
  - name: my-registry
    images: [app]
"""


@pytest.fixture
def silent_api() -> socket.socket:
    """A port that accepts connections and never says a word."""
    return socket.create_server(("127.0.0.1", 0))


def config_for(listener: socket.socket, directory: Path) -> Path:
    path = directory / "ncr-exporter.yml"
    path.write_text(GOOD.format(url=f"http://127.0.0.1:{listener.getsockname()[1]}"))
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_within_5_seconds_even_during_a_hung_request(
    number: signal.Signals, silent_api: socket.socket, tmp_path: Path
) -> None:
    with silent_api, exporter(config_for(silent_api, tmp_path)) as program:
        silent_api.settimeout(10)
        connection, _ = silent_api.accept()
        with connection:
            assert connection.recv(10) == b"GET /ncr/a"
            code, seconds = program.stop(number)
    assert code == 0
    assert seconds < 5


HANGING_LOOKUP = """
import socket, sys, time
getaddrinfo = socket.getaddrinfo
def hanging(host, *rest, **options):
    if host in ("slow.example", b"slow.example"):
        print("looking up", file=sys.stderr, flush=True)
        time.sleep(60)
    return getaddrinfo(host, *rest, **options)
socket.getaddrinfo = hanging
from ncr_exporter.cli.main import run
run()
"""


def test_a_name_lookup_that_hangs_does_not_hold_the_exit_up(tmp_path: Path) -> None:
    config = tmp_path / "ncr-exporter.yml"
    config.write_text(GOOD.format(url="https://slow.example"))
    argv = [f"--config.file={config}", "--web.listen-address=127.0.0.1:0"]
    with Program(*argv, start=("-c", HANGING_LOOKUP)) as program:
        program.wait_for_line("looking up")
        code, seconds = program.stop()
    assert code == 0
    assert seconds < 5


def test_a_scrape_never_waits_for_the_api(silent_api: socket.socket, tmp_path: Path) -> None:
    with silent_api, exporter(config_for(silent_api, tmp_path)) as program:
        started = time.monotonic()
        text = program.get().text
        assert time.monotonic() - started < 1
        assert "ncr_image_up{" not in text, "absent before the first poll"
        assert program.get("/-/healthy").status_code == 200
        assert program.get("/-/ready").status_code == 503


def test_a_missing_configuration_exits_2_and_says_what_to_do(tmp_path: Path) -> None:
    done = run(f"--config.file={tmp_path / 'nowhere.yml'}")
    assert done.returncode == 2
    assert "nowhere.yml" in done.stderr
    assert "--config.file" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_configuration_exits_2_with_file_place_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "ncr-exporter.yml"
    path.write_text("registries:\n  - name: a\n    imagse: [app]\n")
    done = run(f"--config.file={path}")
    assert done.returncode == 2
    assert f"{path}:3: registries[0].imagse: unknown key; did you mean 'images'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_any_key_it_exits_2_and_names_the_ways_to_give_one(tmp_path: Path) -> None:
    path = tmp_path / "ncr-exporter.yml"
    path.write_text("registries: [{name: a, images: [app]}]\n")
    environ = {"HOME": str(tmp_path), "NCLOUD_ACCESS_KEY": "", "NCLOUD_ACCESS_KEY_ID": ""}
    done = run(f"--config.file={path}", environ=environ)
    assert done.returncode == 2
    assert "NCLOUD_SECRET_ACCESS_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_ca_file_that_is_none_exits_2(tmp_path: Path) -> None:
    path = tmp_path / "ncr-exporter.yml"
    text = GOOD.format(url="https://api.example").replace("timeout: 60s", "ca_file: no.pem")
    path.write_text(text)
    done = run(f"--config.file={path}")
    assert done.returncode == 2
    assert "api.ca_file" in done.stderr
    assert "no.pem" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_exits_1_and_names_the_flag(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = config_for(taken, tmp_path)
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run(f"--config.file={config}", f"--web.listen-address={address}")
    assert done.returncode == 1
    assert address in done.stderr
    assert "--web.listen-address" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_environment_stands_in_for_flags(silent_api: socket.socket, tmp_path: Path) -> None:
    path = config_for(silent_api, tmp_path)
    with (
        silent_api,
        exporter(
            path,
            NCR_EXPORTER_WEB_TELEMETRY_PATH="/numbers",
            NCR_EXPORTER_LOG_FORMAT="logfmt",
        ) as program,
    ):
        assert program.get("/numbers").status_code == 200
        assert program.get("/metrics").status_code == 404


def test_no_secret_appears_even_at_debug(silent_api: socket.socket, tmp_path: Path) -> None:
    with silent_api, exporter(config_for(silent_api, tmp_path), "--log.level=debug") as program:
        connection, _ = silent_api.accept()
        connection.recv(1000)
        silent_api.close()
        connection.close()
        program.wait_for_line("poll failed")
        pages = program.get("/").text + program.get().text
        program.stop()
        seen = "\n".join(program.log) + pages
    assert "MADE-UP-SECRET" not in seen
    assert "MADE-UP-ACCESS" not in seen


# What a user of the demo sees: the fault, and a line of the log that says what and what to do.
FAULT_LINES = {
    "wrong-key": ("authentication", "check the access key"),
    "denied": ("permission", "NCP_CONTAINER_REGISTRY_VIEWER"),
    "not-found": ("not_found", "names of registry and image"),
    "throttle": ("throttled", "requests_per_second"),
    "unavailable": ("server", "usually passes"),
    "reset": ("connection", "firewall"),
    "html": ("malformed", "rewrites answers"),
    "truncated": ("malformed", "cut short"),
    "redirect": ("redirect", "base_url"),
    "gzip-bomb": ("too_large", "page_size"),
    "expired-tls": ("tls", "has expired"),
    "self-signed-tls": ("tls", "ca_file"),
}


@pytest.mark.parametrize("fault", FAULT_LINES)
def test_each_fault_is_one_clear_line_the_right_counter_and_no_untrue_value(fault: str) -> None:
    reason, remedy = FAULT_LINES[fault]
    with demo(f"--fault={fault}") as program:
        line = program.wait_for_line("image list failed")
        assert f"reason={reason}" in line
        assert "registry=" in line
        assert remedy in line
        text = program.scrape_until("ncr_registry_up{")
        labels = f'operation="image_list",reason="{reason}"}}'
        counts = [row.split()[-1] for row in text.splitlines() if labels in row]
        assert max(map(float, counts)) >= 1
        assert "ncr_image_tags{" not in text
        assert "ncr_image_size_bytes{" not in text
        assert program.stop()[0] == 0


@pytest.mark.parametrize("fault", ["nulls", "no-platforms", "wrong-types", "nan"])
def test_what_is_unknown_is_absent_and_the_rest_stands(fault: str) -> None:
    with demo(f"--fault={fault}") as program:
        text = program.scrape_until('ncr_image_up{registry="demo-registry",image="api"} 1')
        assert 'ncr_image_tags{registry="demo-registry",image="api"}' in text
        absent = {
            "nulls": "ncr_image_size_bytes{",
            "no-platforms": "ncr_image_last_pulled_timestamp_seconds{",
            "wrong-types": "ncr_image_last_updated_timestamp_seconds{",
            "nan": "ncr_tag_size_bytes{",
        }[fault]
        assert absent not in text
        assert "NaN" not in text
        malformed = 'ncr_api_malformed_records_total{registry="demo-registry",operation="tag_list"}'
        (count,) = [row.split()[-1] for row in text.splitlines() if row.startswith(malformed)]
        assert (float(count) > 0) == (fault in {"wrong-types", "nan"})


def test_a_clock_that_is_off_is_one_warning_and_the_values_are_right() -> None:
    with demo("--fault=clock-ahead") as program:
        line = program.wait_for_line("clock differs")
        assert re.search(r"skew_seconds=(599|600) ", line), "a Date has no fractions"
        assert "NTP" in line
        program.scrape_until('ncr_image_up{registry="demo-registry",image="api"} 1')


def test_a_key_that_is_rotated_within_a_listing_publishes_no_part_of_it() -> None:
    with demo("--fault=rotated-key") as program:
        line = program.wait_for_line("poll failed")
        assert "image=api" in line
        assert "reason=authentication" in line
        text = program.scrape_until('ncr_image_up{registry="demo-registry",image="api"} 0')
        assert 'ncr_image_tags{registry="demo-registry",image="api"}' not in text


def test_the_demo_says_where_its_page_metrics_and_configuration_are_until_ctrl_c(
    tmp_path: Path,
) -> None:
    file = tmp_path / "demo.yml"
    with demo(f"--write-config={file}") as program:
        said = program.scrape_until("ncr_image_tags{") and stdout_until(program, "Press Ctrl-C")
        assert said[:4] == [
            f"Status page:    {program.url}/",
            f"Metrics:        {program.url}/metrics",
            f"Configuration:  {file}, for check and once in another terminal",
            "    api:",
        ]
        assert "    - name: demo-registry" in said
        assert "      secret_key: <secret>" in said
        assert file.stat().st_mode & 0o777 == 0o600
        for command in (("check",), ("check", "--online"), ("once", "--format=table")):
            done = run(*command, f"--config.file={file}")
            assert (done.returncode, done.stderr) == (0, ""), command
            assert "demo-registry" in done.stdout
        assert program.stop(signal.SIGINT)[0] == 0
    assert not file.exists(), "nobody answers there any more"


def test_the_demo_writes_over_nothing_that_it_did_not_write(tmp_path: Path) -> None:
    ours = tmp_path / "ncr-exporter.yml"
    ours.write_text("registries: [mine]\n")
    for place, why in ((ours, "exists"), (tmp_path / "none" / "demo.yml", "No such file")):
        with demo(f"--write-config={place}") as program:
            (line,) = [x for x in stdout_until(program, "Press") if x.startswith("Configuration:")]
            assert "not written: " in line
            assert why in line
            program.scrape_until("ncr_image_tags{")
    assert ours.read_text() == "registries: [mine]\n"


def test_a_fault_of_the_demo_may_begin_later_and_the_good_data_stay() -> None:
    with demo("--fault=denied", "--fault-after=3s") as program:
        assert " images=7 failed=0 " in program.wait_for_line("first round done")
        assert "fault=denied" in program.wait_for_line("the fault of the simulated registry begins")
        text = program.scrape_until('ncr_image_up{registry="demo-registry",image="api"} 0', 30)
    assert 'ncr_image_tags{registry="demo-registry",image="api"} ' in text


def stdout_until(program: Program, part: str) -> list[str]:
    """Read what the program prints up to the line with `part`."""
    assert program.process.stdout is not None
    lines = iter(program.process.stdout.readline, "")
    said: list[str] = []
    while not said or part not in said[-1]:
        said.append(next(lines).rstrip("\n"))
    return said


def test_the_end_of_the_first_round_is_one_line_with_images_failures_and_seconds() -> None:
    with demo() as program:
        line = program.wait_for_line("first round done")
        program.wait_for_line("requests planned")
    assert "level=info" in line
    assert " images=7 failed=0 " in line
    assert re.search(r" seconds=\d+\.\d$", line)
    assert sum("first round done" in line for line in program.log) == 1


def test_the_first_round_ends_though_everything_failed() -> None:
    with demo("--fault=denied") as program:
        line = program.wait_for_line("first round done")
    assert " images=0 failed=2 " in line, "the image lists of the two registries"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--fault=htlm"], "did you mean html"),
        (["--tags=/nowhere.json"], "/nowhere.json"),
        (["--fault-after=30s"], "--fault-after needs --fault"),
        (["--fault-after=soon", "--fault=html"], "--fault-after: 'soon' is not a duration"),
        (["--fault-after=1s", "--fault=expired-tls"], "expired-tls cannot begin later"),
    ],
)
def test_a_wrong_word_to_the_demo_exits_2(argv: list[str], said: str) -> None:
    done = run("demo", *argv)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_json_logs_are_json() -> None:
    done = run("demo", "--log.format=json", "--web.listen-address=256.0.0.1:1")
    assert done.returncode == 1
    entries = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert entries[0]["msg"] == "key found"


# Reload


def test_sighup_reloads_and_a_bad_file_changes_nothing(
    silent_api: socket.socket, tmp_path: Path
) -> None:
    path = config_for(silent_api, tmp_path)
    good = path.read_text()
    with silent_api, exporter(path, "--web.enable-lifecycle") as program:
        interval = 'ncr_image_poll_interval_seconds{registry="my-registry",image="app"}'
        assert f"{interval} 900.0" in program.get().text
        path.write_text(good.replace("images: [app]", "images: [app]\n    interval: 1h"))
        program.process.send_signal(signal.SIGHUP)
        program.wait_for_line("configuration reloaded")
        assert f"{interval} 3600.0" in program.get().text
        before = program.get().text
        path.write_text(good.replace("images", "imagse"))
        program.process.send_signal(signal.SIGHUP)
        line = program.wait_for_line("reload failed")
        assert "did you mean 'images'" in line
        text = program.get().text
        assert "ncr_exporter_config_last_reload_successful 0.0" in text
        assert f"{interval} 3600.0" in text
        answer = httpx.post(f"{program.url}/-/reload", trust_env=False)
        assert answer.status_code == 500
        assert "did you mean 'images'" in answer.text
        path.write_text(good)
        assert httpx.post(f"{program.url}/-/reload", trust_env=False).status_code == 200
        text = program.get().text
        assert "ncr_exporter_config_last_reload_successful 1.0" in text
        assert f"{interval} 900.0" in text
        (hashed,) = [line for line in text.splitlines() if line.startswith(CONFIG_HASH)]
        assert hashed not in before
        assert "MADE-UP" not in program.get("/config").text
        assert program.stop()[0] == 0


CONFIG_HASH = "ncr_exporter_config_hash "


def test_a_changed_file_is_followed_when_asked_for(
    silent_api: socket.socket, tmp_path: Path
) -> None:
    path = config_for(silent_api, tmp_path)
    with silent_api, exporter(path, "--config.auto-reload") as program:
        path.write_text(path.read_text().replace("images: [app]", "images: [app, web]"))
        program.wait_for_line("configuration reloaded")
        assert 'image="web"' in program.get().text
        content = path.read_text()
        path.unlink()
        assert "cannot be read" in program.wait_for_line("reload failed", 30)
        text = program.get().text
        assert "ncr_exporter_config_last_reload_successful 0.0" in text
        assert 'image="web"' in text
        path.write_text(content)
        program.wait_for_line("configuration reloaded", 30)
        assert "ncr_exporter_config_last_reload_successful 1.0" in program.get().text


# Storage


def test_the_last_good_data_survives_a_restart_in_an_outage(tmp_path: Path) -> None:
    state = tmp_path / "state"
    storage = f"--storage.path={state}"
    with answering() as (_, url):
        path = write_config(tmp_path, url, "demo-registry")
        with exporter(path, storage) as program:
            program.ready()
            before = program.get().text
            assert program.stop()[0] == 0
    assert (state / "ncr-exporter.state").stat().st_mode & 0o777 == 0o600
    with exporter(path, storage) as program:
        program.ready()
        program.wait_for_line("image list failed")
        after = program.get().text
        assert tags_of(after) == tags_of(before) != []
        assert f"{LAST_SUCCESS}{value_of(before, LAST_SUCCESS)}" in after
        assert "demo-secret-key" not in after


LAST_SUCCESS = (
    'ncr_image_last_success_timestamp_seconds{registry="demo-registry",image="web/frontend"} '
)


def tags_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("ncr_image_tags{")]


def value_of(text: str, start: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return line.removeprefix(start)
