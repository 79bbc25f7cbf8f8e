"""The environment that the program is started in: other programs' variables are a part of it."""

import fnmatch
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from ncr_exporter.runtime.environment import IGNORED
from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.certificates import server_tls
from tests.support.expositions import samples_of
from tests.support.program import Program, run
from tools.process_table import PROCESS, VARIABLES

TESTS = Path(__file__).parents[1]
NOBODY = "http://127.0.0.1:1"

# Each variable that Python code looks up by its name, of which most are not copied with the others.
WATCHED = """
import os, sys

file = open({path!r}, "a", buffering=1)

class Watched(type(os.environ)):
    def __getitem__(self, name):
        if sys._getframe(1).f_code.co_name != "__iter__":
            file.write(name + "\\n")
        return super().__getitem__(name)

    def __contains__(self, name):
        file.write(name + "\\n")
        return super().__contains__(name)

os.environ.__class__ = Watched
from ncr_exporter.cli.main import run
run()
"""


def test_every_variable_that_the_program_or_a_library_reads_is_decided(tmp_path: Path) -> None:
    path = tmp_path / "names"
    start = ("-c", WATCHED.format(path=str(path)))
    with Program("demo", "--web.listen-address=127.0.0.1:0", start=start) as program:
        program.ready()
        assert program.get("/").status_code == program.get("/report.csv").status_code == 200
        health = run("health", f"--url={program.url}/-/healthy", start=start)
    assert health.returncode == 0
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    keys = {"NCLOUD_ACCESS_KEY": "", "NCLOUD_SECRET_KEY": ""}
    with answering(source_of(app=[tag("v1")]), tls=server_tls(authority)) as (_, url):
        config = write_config(
            tmp_path, url, "my-registry", ca_file="ca.pem", proxy_from_environment=True
        )
        assert run("once", f"--config.file={config}", start=start).returncode == 0
        assert run("check", "--online", f"--config.file={config}", start=start).returncode == 0
        without = write_config(tmp_path, url, "my-registry", keys={})
        assert run("check", f"--config.file={without}", start=start, environ=keys).returncode == 2
    decided = [name.replace("…", "*") for names in VARIABLES for name in names.split(", ")]
    read = set(path.read_text().split())
    assert {"PROMETHEUS_MULTIPROC_DIR", "SSLKEYLOGFILE", "HOME"} <= read, "the watch sees nothing"
    assert [
        name
        for name in sorted(read)
        if not any(fnmatch.fnmatch(each, rule) for rule in decided for each in (name, name.upper()))
    ] == []


def test_variables_of_other_programs_change_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "of-others"
    kept.mkdir()
    environ = dict.fromkeys(IGNORED, str(kept)) | {"SSLKEYLOGFILE": str(kept / "keys.log")}
    nowhere = dict.fromkeys(IGNORED, str(tmp_path / "nowhere" / "at-all"))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with answering(source_of(app=[tag("v1")]), tls=server_tls(authority)) as (_, url):
        config = write_config(tmp_path, url, "my-registry", ca_file="ca.pem")
        for given in (environ, nowhere, environ):
            done = run("once", f"--config.file={config}", environ=given)
            assert (done.returncode, done.stderr) == (0, "")
            asked = (("operation", "tag_list"), ("registry", "my-registry"))
            assert samples_of(done.stdout)["ncr_api_requests_total", asked] == 1
            assert "_created" not in done.stdout
        words = ("check", "--online", f"--config.file={config}")
        assert run(*words, environ=nowhere).returncode == 0
    assert list(kept.iterdir()) == []


def test_variables_that_are_ignored_keep_no_command_from_running(tmp_path: Path) -> None:
    environ = dict.fromkeys(IGNORED, str(tmp_path / "nowhere" / "at-all"))
    with Program("demo", "--web.listen-address=127.0.0.1:0", environ=environ) as program:
        assert program.get("/metrics").status_code == 200
        url = f"--url={program.url}/-/healthy"
        assert run("health", url, environ=environ).returncode == 0
    done = run("health", "--url=https://127.0.0.1:1/", environ=environ)
    assert (done.returncode, "Connection refused" in done.stderr) == (1, True)


PYTHONS_OWN = {
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONDEVMODE": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
}


@pytest.mark.parametrize("variable", PYTHONS_OWN)
def test_pythons_own_switches_change_no_value_and_show_no_key(
    variable: str, tmp_path: Path
) -> None:
    keys = {"access_key": "CANARY-ACCESS", "secret_key": "CANARY-SECRET"}
    environ = {variable: PYTHONS_OWN[variable]}
    with answering(source_of(app=[tag("v1")]), keys=_secret_of(keys)) as (_, url):
        config = write_config(tmp_path, url, "my-registry", keys=keys)
        words = ("once", "--log.level=debug", f"--config.file={config}")
        done = run(*words, environ=environ)
    assert done.returncode == 0
    app = (("image", "app"), ("registry", "my-registry"))
    assert samples_of(done.stdout)["ncr_image_tags", app] == 1
    assert "CANARY" not in done.stdout + done.stderr


def _secret_of(keys: dict[str, str]) -> dict[str, str]:
    return {keys["access_key"]: keys["secret_key"]}


@pytest.mark.parametrize("command", [("check",), ("once",), ("check", "--online"), ("serve",)])
def test_a_user_without_a_home_is_told_where_keys_may_stand(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    nameless = ("unshare", "--user", "--map-user=54321", "--map-group=54321")
    if subprocess.run([*nameless, "true"], capture_output=True, check=False).returncode:  # noqa: S603 -- a constant
        pytest.skip("needs leave to make namespaces")
    config = write_config(tmp_path, NOBODY, "my-registry", keys={})
    words = [*nameless, sys.executable, "-m", "ncr_exporter", *command, f"--config.file={config}"]
    without = {"HOME", "NCLOUD_ACCESS_KEY", "NCLOUD_ACCESS_KEY_ID", "NCLOUD_SECRET_ACCESS_KEY"}
    done = subprocess.run(  # noqa: S603 -- our own program with a test's words
        words,
        env={
            **{name: value for name, value in os.environ.items() if name not in without},
            "NCLOUD_SECRET_KEY": "hush",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "no API key: NCLOUD_SECRET_KEY is set, and NCLOUD_ACCESS_KEY_ID or " in line
    assert "HOME is not set and this user has no home directory, so no file is looked for" in line
    assert "in the environment, or credentials in the configuration" in line
    assert "hush" not in line


@pytest.mark.parametrize("what", PROCESS)
def test_what_is_said_of_a_misfortune_is_tried(what: str) -> None:
    module, _, name = PROCESS[what].test.partition("::")
    assert f"\ndef {name}(" in (TESTS / module).read_text(encoding="utf-8")
