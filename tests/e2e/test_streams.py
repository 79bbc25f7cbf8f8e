"""Standard streams that are closed, full or gone, and consoles that know ASCII alone."""

import fcntl
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.program import Program
from tools.processes import free_port
from tools.waiting import answers, wait_until

pytestmark = pytest.mark.unmeasured
LABEL = "레지스트리"
ESCAPED = LABEL.encode("ascii", "backslashreplace").decode()
NOBODY = "http://127.0.0.1:1"
NO_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A console that knows ASCII alone, on a Python that would otherwise take UTF-8 for granted."""


@pytest.fixture
def config(tmp_path: Path) -> str:
    return f"--config.file={write_config(tmp_path, NOBODY, {'name': 'r', 'label': LABEL})}"


def redirected(
    redirections: str, *argv: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program with its streams as a shell sets them up, and read what is left of them."""
    words = ["sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-m", "ncr_exporter"]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONIOENCODING"}
    return subprocess.run(  # noqa: S603 -- our own program with a test's words
        [*words, *argv],
        env={**inherited, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


PRINTING = {
    "check": ("check",),
    "check --online": ("check", "--online"),
    "once": ("once",),
    "a report": ("once", "--format=table"),
    "--help": ("--help",),
    "--version": ("check", "--version"),
}


@pytest.mark.parametrize("command", PRINTING)
@pytest.mark.parametrize(
    ("redirection", "why"),
    [(">/dev/full", "No space left on device"), (">&-", "it is closed")],
    ids=["full", "closed"],
)
def test_output_that_cannot_be_written_is_one_line_and_exit_code_1(
    redirection: str, why: str, command: str, config: str
) -> None:
    given = [config] if command[:1].isalpha() else []
    done = redirected(redirection, *PRINTING[command], *given)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"ncr-exporter: cannot write to stdout: {why}"]


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"], ids=["full", "closed"])
def test_errors_that_cannot_be_shown_change_neither_output_nor_exit_code(
    redirection: str, config: str
) -> None:
    plain, silent = (redirected(each, "check", "--online", config) for each in ("", redirection))
    assert (silent.returncode, silent.stdout) == (plain.returncode, plain.stdout)
    assert redirected(redirection, "--nonsense").returncode == 2
    assert redirected(redirection, "check", "--config.file=/nowhere").returncode == 2
    assert redirected(redirection, "health", "--url=http://127.0.0.1:1").returncode == 1


def test_a_list_of_what_runs_from_a_closed_stdin_is_refused(config: str) -> None:
    done = redirected("<&-", "once", "--format=csv", "--stale", "--in-use=-", config)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ncr-exporter: cannot read stdin: Bad file descriptor\n"


def test_health_is_told_by_the_exit_code_where_nothing_can_be_printed(config: str) -> None:
    with Program(config, "--web.listen-address=127.0.0.1:0") as program:
        url = f"--url={program.url}/-/healthy"
        for redirection in (">/dev/full", ">&-", ">&- 2>&-"):
            assert redirected(redirection, "health", url).returncode == 0


def test_the_demo_goes_on_where_its_address_cannot_be_printed() -> None:
    port = free_port()
    words = ["demo", f"--web.listen-address=127.0.0.1:{port}"]
    _serves(port, f'exec "{sys.executable}" -m ncr_exporter {" ".join(words)} >/dev/full')


@pytest.mark.parametrize("redirections", ["<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_serving_needs_none_of_the_streams(redirections: str, config: str) -> None:
    port = free_port()
    words = f'"{sys.executable}" -m ncr_exporter {config} --web.listen-address=127.0.0.1:{port}'
    _serves(port, f"exec {words} {redirections}")


def _serves(port: int, command: str) -> None:
    """Run a command that serves, and see that no socket took the place of a closed stream."""
    with subprocess.Popen(["sh", "-c", command]) as process:  # noqa: S603, S607 -- our own program
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/-/healthy"))
            links = [
                str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in range(3)
            ]
            assert not [link for link in links if link.startswith("socket:")]
        finally:
            process.terminate()
        assert process.wait(15) == 0


def test_a_pipe_that_somebody_made_non_blocking_gets_all_of_the_output(tmp_path: Path) -> None:
    images = {f"team/app-{number}": [tag("v1"), tag("v2")] for number in range(150)}
    with answering(source_of(**images)) as (_, url):
        config = f"--config.file={write_config(tmp_path, url, 'my-registry')}"
        ours, theirs = os.pipe()
        os.set_blocking(theirs, False)
        words = [sys.executable, "-m", "ncr_exporter", "once", config]
        with subprocess.Popen(words, stdout=theirs, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own program
            wait_until(lambda: not select.select([], [theirs], [], 0)[1])  # until it is full
            os.close(theirs)
            with os.fdopen(ours) as reader:
                text = reader.read()
            assert process.wait(30) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""
    assert len(text) > 100_000, "a pipe would hold all of it"
    assert text.count("ncr_image_tags{") == 150


@pytest.mark.parametrize("command", [("once",), ("check", "--online")], ids=str)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_whose_output_nobody_reads(
    number: signal.Signals, command: tuple[str, ...], tmp_path: Path
) -> None:
    images = {f"team/app-{number}": [tag("v1"), tag("v2")] for number in range(300)}
    with answering(source_of(**images)) as (_, url):
        config = f"--config.file={write_config(tmp_path, url, 'my-registry')}"
        ours, theirs = os.pipe()
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 8192)  # less than is said of so many images
        words = [sys.executable, "-m", "ncr_exporter", *command, config]
        with subprocess.Popen(words, stdout=theirs, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own program
            try:
                wait_until(lambda: not select.select([], [theirs], [], 0)[1])  # until it is full
                process.send_signal(number)
                assert process.wait(10) == 128 + number
                assert process.stderr is not None
                assert process.stderr.read() == "ncr-exporter: interrupted\n"
            finally:
                process.kill()  # else the block would wait for ever
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    "environ", [NO_UTF8, {"PYTHONIOENCODING": "ascii"}], ids=["locale", "variable"]
)
def test_a_console_that_knows_ascii_alone_shows_names_as_escapes(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with answering(source_of(app=[tag("v1")])) as (_, url):
        entry = {"name": "my-registry", "label": LABEL}
        config = f"--config.file={write_config(tmp_path, url, entry)}"
        for argv in (["check"], ["check", "--online"], ["once", "--format=table"]):
            done = redirected("", *argv, config, environ=environ)
            assert (done.returncode, done.stderr) == (0, "")
            assert ESCAPED in done.stdout
            assert LABEL not in done.stdout


@pytest.mark.parametrize("environ", [{"LC_ALL": "C"}, NO_UTF8], ids=["C", "no UTF-8"])
def test_data_is_utf_8_whatever_the_console_knows(environ: dict[str, str], tmp_path: Path) -> None:
    with answering(source_of(app=[tag("v1")])) as (_, url):
        entry = {"name": "my-registry", "label": LABEL}
        config = f"--config.file={write_config(tmp_path, url, entry)}"
        for form in ("prometheus", "csv"):
            done = redirected("", "once", f"--format={form}", config, environ=environ)
            assert (done.returncode, done.stderr) == (0, "")
            assert LABEL in done.stdout


def test_a_console_in_the_c_locale_shows_names_as_they_are(config: str) -> None:
    assert LABEL in redirected("", "check", config, environ={"LC_ALL": "C"}).stdout


@pytest.mark.parametrize("environ", [{}, NO_UTF8], ids=["UTF-8", "no UTF-8"])
def test_a_file_name_that_is_no_text_is_shown_as_escapes(
    environ: dict[str, str], tmp_path: Path
) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/n\xff.yml")
    write_config(tmp_path, NOBODY, "r").rename(path)
    done = redirected("", "check", f"--config.file={path}", environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "n\\udcff.yml is valid" in done.stdout
    missing = redirected("", "check", f"--config.file={path}x", environ=environ)
    assert missing.returncode == 2
    assert missing.stderr.startswith("ncr-exporter: ")
    assert "n\\udcff.ymlx: cannot be read" in missing.stderr


@pytest.mark.parametrize("key", ["ca_file", "secret_key_file"])
def test_a_path_that_the_locale_cannot_spell_is_refused_in_words(key: str, tmp_path: Path) -> None:
    path = {"ca_file": None, "secret_key_file": "key", key: "비밀"}
    (tmp_path / "key").write_text("made-up")
    keys = {"access_key": "a", "secret_key_file": str(path["secret_key_file"])}
    config = write_config(tmp_path, NOBODY, "r", keys=keys, ca_file=path["ca_file"])
    done = redirected("", "check", f"--config.file={config}", environ=NO_UTF8)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("ncr-exporter: ")


@pytest.mark.parametrize(
    "url",
    ["http://a..b/", "http://레지스트리.example/", "http://127.0.0.1:1/경로", "http://\udcff/"],
)
def test_a_url_that_cannot_be_asked_is_unhealthy_in_words(url: str) -> None:
    done = redirected("", "health", f"--url={url}")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("ncr-exporter: not healthy: http://")
