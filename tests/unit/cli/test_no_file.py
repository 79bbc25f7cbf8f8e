"""Without a file: the environment alone, or stdin."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from ncr_exporter.app.config_source import ConfigSource
from ncr_exporter.config import ConfigError
from tests.support import program
from tests.support.api_client import source_of, tag
from tests.support.api_thread import KEYS, answering
from tests.support.in_process import run

ENVIRONMENT = {"NCLOUD_ACCESS_KEY": KEYS["access_key"], "NCLOUD_SECRET_KEY": KEYS["secret_key"]}
NO_KEY = (*ENVIRONMENT, "NCLOUD_ACCESS_KEY_ID", "NCLOUD_SECRET_ACCESS_KEY", "NCLOUD_PROFILE")
LISTEN = "--web.listen-address=127.0.0.1"
KEYLESS = "registries: [{name: mine, images: [app]}]\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, and no key in the environment."""
    for name in NO_KEY:
        monkeypatch.delenv(name, raising=False)
    with chdir(tmp_path):
        yield tmp_path


def checked(*argv: str, **environ: str) -> str:
    """Return what `check` prints of a configuration that it takes."""
    return _said(argv, environ, 0)


def refused(*argv: str, **environ: str) -> str:
    """Return what `check` says on stderr of a configuration that it refuses."""
    return _said(argv, environ, 2)


def _said(argv: Sequence[str], environ: Mapping[str, str], code: int) -> str:
    variables = {"HOME": str(Path.cwd()), **environ}
    done = run("check", *argv, environ=variables)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def test_a_key_in_the_environment_is_enough() -> None:
    assert checked(**ENVIRONMENT) == (
        "account  https://ncr.apigw.ntruss.com, key from environment\n\n"
        '  every registry in kr that no other entry names ("*")\n'
        "    *  found when listing, every 15m, stale after 90d\n\n"
        "  requests an hour: 4 of 18,000 allowed\n"
        "  more for lists of several pages, and for images found when listing\n\n"
        "There is no ncr-exporter.yml: the environment alone says what to poll.\n"
    )


def test_a_key_in_the_vendors_file_is_enough(here: Path) -> None:
    (here / ".ncloud").mkdir()
    (here / ".ncloud" / "configure").write_text(
        "ncloud_access_key_id = a\nncloud_secret_access_key = b\n"
    )
    assert f"key from {here / '.ncloud' / 'configure'}" in checked()


def test_the_environment_names_registries_and_their_region() -> None:
    names = {"NCR_EXPORTER_REGISTRIES": "shop, other,", "NCR_EXPORTER_REGION": "sgn"}
    said = checked(**ENVIRONMENT, **names)
    assert "  registry shop, sgn\n" in said
    assert "  registry other, sgn\n" in said


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "NCR_EXPORTER_REGION",
            "KR",
            "the public zone has the regions kr, sgn, jpn, not 'KR'; did you mean 'kr'?",
        ),
        (
            "NCR_EXPORTER_REGISTRIES",
            "shop:latest",
            "'shop:latest' cannot be a registry's name: it holds a tag; write shop",
        ),
        ("NCR_EXPORTER_REGISTRIES", " , ", "holds no name of a registry"),
        (
            "NCR_EXPORTER_REGISTRIES",
            "$SHOP",
            "'$SHOP' cannot be a registry's name: write ${SHOP} for the variable",
        ),
    ],
)
def test_a_mistake_in_a_variable_is_told_by_its_name(name: str, value: str, told: str) -> None:
    said = refused(**ENVIRONMENT, **{name: value})
    assert said == f"ncr-exporter: {name}: {told}\n"


def test_without_a_file_and_without_a_key_both_ways_are_told(here: Path) -> None:
    assert refused() == (
        "ncr-exporter: ncr-exporter.yml: no such file; name the file with --config.file\n"
        "ncr-exporter: or go without a file, which needs an API key: set NCLOUD_ACCESS_KEY_ID "
        "and NCLOUD_SECRET_ACCESS_KEY in the environment, or credentials in the configuration, or "
        f"write {here / '.ncloud' / 'configure'}\n"
    )


def test_a_file_of_nearly_the_default_name_is_not_passed_over(here: Path) -> None:
    (here / "ncr-exporter.yaml").write_text(KEYLESS)
    (here / "docker-compose.yml").write_text("services: {}\n")
    assert refused(**ENVIRONMENT) == (
        "ncr-exporter: ncr-exporter.yml: no such file, but there is ncr-exporter.yaml; "
        "name it with --config.file=ncr-exporter.yaml\n"
    )


def test_a_file_that_is_named_must_be_there() -> None:
    said = refused("--config.file=ncr-exporter.yml", **ENVIRONMENT)
    assert "ncr-exporter.yml: cannot be read: no such file" in said
    said = refused(**ENVIRONMENT, NCR_EXPORTER_CONFIG_FILE="mine.yml")
    assert "mine.yml: cannot be read: no such file" in said


def test_a_file_overrules_the_variables_and_says_so(here: Path) -> None:
    (here / "ncr-exporter.yml").write_text(KEYLESS)
    said = checked(**ENVIRONMENT, NCR_EXPORTER_REGISTRIES="shop")
    assert "  registry mine, kr\n" in said
    warning = "NCR_EXPORTER_REGISTRIES: is ignored: the configuration says what to poll"
    assert f"warning: ncr-exporter.yml: {warning}\n" in said


def test_a_file_that_vanishes_is_missed_by_a_reload(here: Path) -> None:
    source = ConfigSource("ncr-exporter.yml", ENVIRONMENT, is_given=False)
    (here / "ncr-exporter.yml").write_text(KEYLESS)
    assert [registry.name for registry in source.read().registries] == ["mine"]
    (here / "ncr-exporter.yml").unlink()
    with pytest.raises(ConfigError, match="cannot be read: no such file"):
        source.read_again()


def stdin_config(url: str) -> str:
    content: dict[str, Any] = {
        "api": {"base_url": url, "requests_per_second": 500},
        "credentials": KEYS,
        "registries": [{"name": "my-registry"}],
    }
    return json.dumps(content)


def test_a_configuration_may_come_from_stdin() -> None:
    with answering(source_of(app=[tag("v1")])) as (_, url):
        done = program.run("once", "--config.file=-", "--format=csv", stdin=stdin_config(url))
    assert (done.returncode, done.stderr) == (0, "")
    assert "my-registry,app," in done.stdout
    done = program.run("check", "--config.file=-", stdin="registries: []\n")
    assert done.returncode == 2
    assert done.stderr.startswith("ncr-exporter: stdin:1: registries: must not be")


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (
            ["--config.file=-", "--config.auto-reload"],
            "--config.auto-reload: a configuration from stdin cannot be read again",
        ),
        (
            ["once", "--config.file=-", "--stale", "--in-use=-"],
            "--config.file=- and --in-use=-: stdin can be only one of them",
        ),
    ],
)
def test_what_stdin_cannot_be_is_refused(argv: list[str], told: str) -> None:
    done = program.run(*argv, stdin="registries: [mine]\n", environ=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (2, f"ncr-exporter: {told}\n")


def test_a_reload_of_what_came_from_stdin_is_refused_in_words(here: Path) -> None:
    with answering(source_of(app=[tag("v1")])) as (_, url):
        (here / "config").write_text(stdin_config(url))
        with (here / "config").open() as stdin:
            process = subprocess.Popen(  # noqa: S603 -- our own program with a test's words
                [sys.executable, "-m", "ncr_exporter", "--config.file=-", f"{LISTEN}:0"],
                stdin=stdin,
                stderr=subprocess.PIPE,
                env=os.environ,
                text=True,
            )
        assert process.stderr is not None
        try:
            seen = iter(process.stderr.readline, "")
            next(line for line in seen if "msg=serving" in line)
            process.send_signal(signal.SIGHUP)
            failed = next(line for line in seen if "reload failed" in line)
        finally:
            process.terminate()
            process.wait(timeout=15)
            process.stderr.close()
    assert "the configuration came from stdin, which cannot be read again" in failed


def test_serving_without_a_file_is_logged_and_a_file_takes_its_place(here: Path) -> None:
    argv = ("--config.auto-reload", f"{LISTEN}:0")
    names = {"NCR_EXPORTER_REGISTRIES": "shop"}
    with program.Program(*argv, environ={**ENVIRONMENT, **names, "HTTPS_PROXY": ""}) as running:
        assert any(
            "no configuration file: the environment alone says what to poll" in line
            and "ncr-exporter.yml would take its place" in line
            for line in running.log
        )
        (here / "ncr-exporter.yml").write_text(KEYLESS)
        running.wait_for_line("configuration reloaded")
        assert "mine" in running.get("/config").text
