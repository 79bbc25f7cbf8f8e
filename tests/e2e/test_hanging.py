"""The real program while something outside hangs: whoever reads its log, and files it must read."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.certificates import certificates_in
from tests.support.expositions import samples_of
from tests.support.passwords import RIGHT, authorization, hash_of, users_section
from tests.support.program import LISTEN, Program, exporter, run
from tools.processes import free_port
from tools.waiting import answers, wait_until

pytestmark = pytest.mark.unmeasured
APP = (("image", "app"), ("registry", "my-registry"))
SOON = 2.0
"""Seconds that a busy machine may take for what hangs nowhere."""
DEADLINE = 5.0
"""Seconds after which the program gives a file up."""
ENTRY = {"name": "my-registry", "images": ["app"], "interval": "1s"}
KEYS = {"access_key": "DEMOACCESSKEY", "secret_key_file": "secret"}
SECRET = "demo-secret-key"
SENTENCE = "nothing came within 5 s; is it a pipe, or its file server down?"


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """Give the URL of a registry with one image."""
    with answering(source_of(app=[tag("v1")])) as (_, url):
        yield url


def becomes_a_pipe(path: Path) -> None:
    """Put a pipe that nobody writes to in place of a file: opening it hangs, as on a dead NFS."""
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    pipe.replace(path)


def replaced(path: Path, text: str) -> None:
    """Put a file in place, whole, as editors and Kubernetes do."""
    new = path.with_name("new")
    new.write_text(text)
    new.replace(path)


def scraped(program: Program, **headers: str) -> str:
    """Return a scrape, which must be there soon."""
    started = time.monotonic()
    answer = program.get(**headers)
    assert answer.status_code == 200
    assert time.monotonic() - started < SOON
    return answer.text


class Unread:
    """The program with a stderr that is a small pipe, of which nobody reads until asked to."""

    def __init__(self, config: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        self.process = subprocess.Popen(  # noqa: S603 -- our own program with a test's words
            [
                *(sys.executable, "-m", "ncr_exporter", f"--config.file={config}"),
                *(f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-lifecycle"),
            ],
            stderr=writer,
            stdin=subprocess.DEVNULL,
        )
        os.close(writer)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._reader)

    def reload(self) -> int:
        """Ask for a reload, and return the status."""
        return httpx.post(f"{self.url}/-/reload", timeout=15, trust_env=False).status_code

    def value(self, name: str) -> float:
        text = httpx.get(f"{self.url}/metrics", timeout=SOON, trust_env=False).text
        return samples_of(text)[name, ()]

    def read(self) -> str:
        """Read all that is in the pipe until nothing comes for a moment."""
        os.set_blocking(self._reader, False)
        said, quiet = b"", 0
        while quiet < 10:
            try:
                part = os.read(self._reader, 1 << 16)
            except BlockingIOError:
                part = b""
                time.sleep(0.05)
            quiet = 0 if part else quiet + 1
            said += part
        return said.decode()


@contextmanager
def unread(config: Path) -> Iterator[Unread]:
    it = Unread(config)
    try:
        wait_until(lambda: answers(f"{it.url}/-/ready"))
        yield it
    finally:
        it.close()


def test_a_reader_of_the_log_that_stalls_delays_nothing_and_loses_nothing_for_a_while(
    api: str, tmp_path: Path
) -> None:
    """Of 4 KiB the pipe is full after some forty lines."""
    config = write_config(tmp_path, api, ENTRY)
    with unread(config) as program:
        assert [program.reload() for _ in range(100)] == [200] * 100
        polls = program.value("process_cpu_seconds_total")
        assert polls > 0
        assert program.value("ncr_exporter_log_lines_dropped_total") == 0
        lines = program.read().splitlines()
        assert sum("configuration reloaded" in line for line in lines) == 100
        assert [line[:27] for line in lines] == sorted(line[:27] for line in lines)
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(5) == 0
        assert program.read().splitlines()[-1].endswith("msg=stopped")


def test_what_a_reader_that_never_reads_misses_is_counted_and_said(
    api: str, tmp_path: Path
) -> None:
    config = write_config(tmp_path, api, ENTRY)
    with unread(config) as program:
        config.write_text("".join(f"key-{n}: 1\n" for n in range(700)))  # a problem each, 70 kB
        assert [program.reload() for _ in range(30)] == [500] * 30
        dropped = program.value("ncr_exporter_log_lines_dropped_total")
        assert 5 < dropped < 30
        lines = program.read().splitlines()
        (said,) = [line for line in lines if "log lines were dropped" in line]
        assert f'msg="{dropped:.0f} log lines were dropped' in said
        assert sum("reload failed" in line for line in lines) == 30 - dropped
        assert program.reload() == 500
        assert program.read().count("reload failed") == 1


def test_a_reader_that_never_reads_does_not_keep_the_program_from_its_end(
    api: str, tmp_path: Path
) -> None:
    with unread(write_config(tmp_path, api, ENTRY)) as program:
        assert [program.reload() for _ in range(100)] == [200] * 100
        started = time.monotonic()
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(10) == 0
        assert time.monotonic() - started < 2.9, "it ends by itself, before it is cut"


def test_a_secret_file_that_hangs_fails_polls_with_a_sentence_and_delays_no_scrape(
    api: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    replaced(secret, SECRET)
    with exporter(write_config(tmp_path, api, ENTRY, keys=KEYS)) as program:
        program.ready()
        becomes_a_pipe(secret)
        line = program.wait_for_line("poll failed", within=DEADLINE + 10)
        assert "reason=authentication" in line
        assert f"{secret} cannot be read: {SENTENCE}" in line
        text = scraped(program)
        assert samples_of(text)["ncr_image_up", APP] == 0
        assert samples_of(text)["ncr_image_tags", APP] == 1
        replaced(secret, SECRET)
        wait_until(lambda: samples_of(scraped(program))["ncr_image_up", APP] == 1, 30)
        assert program.stop()[0] == 0


def test_a_secret_file_that_hangs_does_not_keep_the_program_from_its_end(
    api: str, tmp_path: Path
) -> None:
    replaced(tmp_path / "secret", SECRET)
    with exporter(write_config(tmp_path, api, ENTRY, keys=KEYS)) as program:
        program.ready()
        becomes_a_pipe(tmp_path / "secret")
        time.sleep(1.5)  # until it is read again
        code, seconds = program.stop()
    assert code == 0
    assert seconds < 2.9, "it ends by itself, before it is cut"


def test_a_web_configuration_that_hangs_leaves_the_old_one_in_force(
    api: str, tmp_path: Path
) -> None:
    web = tmp_path / "web.yml"
    replaced(web, users_section({"alice": hash_of(RIGHT)}))
    given = {"authorization": authorization("alice", RIGHT)}
    with exporter(write_config(tmp_path, api, ENTRY), f"--web.config.file={web}") as program:
        scraped(program, **given)
        becomes_a_pipe(web)
        end = time.monotonic() + DEADLINE + 2
        while time.monotonic() < end:
            scraped(program, **given)
            time.sleep(0.2)
        line = program.wait_for_line("new web configuration refused")
        assert SENTENCE in line
        replaced(web, users_section({"bob": hash_of(RIGHT)}))
        wait_until(lambda: program.get(**given).status_code == 401)
        program.stop()
    assert sum("new web configuration refused" in line for line in program.log) == 1


@pytest.mark.parametrize("name", ["ncr-exporter.yml", "ca.pem", "secret"])
def test_a_reload_whose_files_hang_fails_with_a_sentence_and_delays_no_scrape(
    name: str, api: str, tmp_path: Path
) -> None:
    certificates_in(tmp_path)
    replaced(tmp_path / "secret", SECRET)
    config = write_config(tmp_path, api, ENTRY, keys=KEYS, ca_file="ca.pem")
    with exporter(config, "--web.enable-lifecycle", "--web.max-requests=1") as program:
        program.ready()
        becomes_a_pipe(tmp_path / name)
        if name != config.name:  # other settings, so that the account's client is made again
            replaced(config, config.read_text().replace('"timeout": "5s"', '"timeout": "6s"'))
        program.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            scraped(program)
            time.sleep(0.2)
        line = program.wait_for_line("reload failed", within=10)
        assert f"{tmp_path / name}" in line
        assert SENTENCE in line
        assert "ncr_exporter_config_last_reload_successful 0" in scraped(program)
        assert program.stop()[0] == 0


HANGING = (
    *(("serve", name) for name in ("ncr-exporter.yml", "ca.pem", "secret", "web.yml")),
    ("check", "ca.pem"),
)
"""A command, and which of its files hangs."""


def started(file: Path, url: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, of whose files in a folder of its own this one hangs."""
    directory = file.parent
    directory.mkdir(parents=True)
    certificates_in(directory)
    replaced(directory / "secret", SECRET)
    replaced(directory / "web.yml", "")
    config = write_config(directory, url, ENTRY, keys=KEYS, ca_file="ca.pem")
    becomes_a_pipe(file)
    words = [command, f"--config.file={config}"]
    if command == "serve":
        words += [f"--web.config.file={directory / 'web.yml'}", LISTEN]
    return run(*words)


def test_a_file_that_hangs_at_the_start_ends_it_with_a_sentence(api: str, tmp_path: Path) -> None:
    """All at once, since each takes as long as a file may."""
    with ThreadPoolExecutor(len(HANGING)) as threads:
        cases = {
            file: threads.submit(started, file, api, command)
            for command, name in HANGING
            for file in [tmp_path / command / name / name]
        }
    for file, case in cases.items():
        ended = case.result()
        assert ended.returncode == 2
        assert SENTENCE in ended.stderr
        assert f"{file}" in ended.stderr
        assert "Traceback" not in ended.stderr
