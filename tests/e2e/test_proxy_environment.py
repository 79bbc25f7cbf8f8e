"""Proxies of the environment through every command: used, passed by, or refused in words."""

import json
import re
from pathlib import Path

import pytest

from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, write_config
from tests.support.in_process import run

COMMANDS = [("check",), ("check", "--online"), ("once",), ("once", "--format=json")]
PASSED_BY = {"http_proxy": "http://127.0.0.1:9", "no_proxy": "fd00::/8,[::1],localhost,127.0.0.1"}
SOCKS = {"http_proxy": "", "all_proxy": "socks://me:s3cr3t@proxy:1080", "no_proxy": ""}
BROKEN = {"http_proxy": "http://me:s3cr3t/c4n4ry@proxy:3128", "no_proxy": "[::1"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_no_proxy_names_is_asked_directly(tmp_path: Path, command: tuple[str, ...]) -> None:
    with answering(source_of(app=[tag("v1")])) as (_, url):
        config = write_config(tmp_path, url, "my-registry", proxy_from_environment=True)
        done = run(*command, f"--config.file={config}", environ=PASSED_BY)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("environ", [SOCKS, BROKEN], ids=["socks", "password"])
@pytest.mark.parametrize("command", [*COMMANDS, ("serve",)], ids=" ".join)
def test_a_proxy_that_cannot_be_used_is_refused_by_every_command_and_nothing_of_it_is_shown(
    tmp_path: Path, command: tuple[str, ...], environ: dict[str, str]
) -> None:
    with answering(source_of(app=[tag("v1")])) as (registry, url):
        config = write_config(tmp_path, url, "my-registry", proxy_from_environment=True)
        output = tmp_path / "ncr.prom"
        output.write_text("what was there\n")
        flags = [f"--output={output}"] if command == ("once",) else []
        done = run(*command, f"--config.file={config}", *flags, environ=environ)
        assert not registry.requests
    assert done.returncode == 2
    assert "api.proxy_from_environment: the variable " in done.stderr
    assert "Traceback" not in done.stderr
    assert not re.search("s3cr3t|c4n4ry", done.stdout + done.stderr)
    assert output.read_text() == "what was there\n"


def test_an_error_nobody_foresaw_is_a_failure_of_once_too(tmp_path: Path) -> None:
    """A name too long for any URL: what httpx raises is no error of HTTP."""
    with answering(source_of(app=[tag("v1")])) as (_, url):
        images = ["app", "x" * 70_000]
        config = write_config(tmp_path, url, {"name": "my-registry", "images": images})
        done = run("once", f"--config.file={config}", "--format=json")
    assert done.returncode == 1
    images = json.loads(done.stdout)["images"]
    assert [image["tags"] for image in images if image["image"] == "app"] == [1]
