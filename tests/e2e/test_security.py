"""What SECURITY.md promises of the whole program, and that every promise there has its test."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.runtime.clock import SystemClock
from ncr_exporter.simulator.faults import FAULTS
from ncr_exporter.simulator.registry import SimulatedRegistry
from ncr_exporter.state.file import read_state
from tests.support.api_client import source_of, tag
from tests.support.api_thread import answering, serving, write_config
from tests.support.passwords import authorization, hash_of, users_section
from tests.support.program import Program, run

ROOT = Path(__file__).resolve().parents[2]
LISTEN = "--web.listen-address=127.0.0.1:0"
TRAP = "http://127.0.0.1:9"
IMAGES = {"app": [tag("1.0"), tag("2.0")], "team/tool": [tag("latest")]}
ACCESS_KEY, SECRET_KEY, PASSWORD = "CANARY-ACCESS", "CANARY-SECRET", "CANARY-PASSWORD"
PAGES = ("/", "/metrics", "/config", "/report.csv", "/-/ready", "/-/healthy", "/nothing-here")

# Every connection and look-up that Python makes, told by Python itself.
WATCHED = """
import os, sys

def told(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        where = args[1] if event == "socket.connect" else args[:2]
        with open(os.environ["WATCH"], "a") as file:
            file.write(f"{event} {where}\\n")

sys.addaudithook(told)
from ncr_exporter.cli.main import run
run()
"""
# Nobody foresees what fails where the keys are at hand.
CRASHING = """
from ncr_exporter.ncr import transport

def crash(*_, access_key, secret_key, **__):
    raise RuntimeError("nobody foresaw this")

transport.signed_headers = crash
from ncr_exporter.cli.main import run
run()
"""


def promises() -> list[tuple[str, list[str]]]:
    """Return each row of the table of promises with the tests that it names."""
    section = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("\n| promise |")[2]
    rows = [line.split("|")[1:3] for line in section.splitlines()[2:] if line.startswith("| ")]
    return [(promise.strip(), re.findall(r"`([\w/]+\.py::\w+)`", tests)) for promise, tests in rows]


@pytest.mark.parametrize(("promise", "tests"), promises(), ids=lambda part: str(part)[:40])
def test_a_promise_is_held_by_tests_that_exist(promise: str, tests: list[str]) -> None:
    assert tests, promise
    for named in tests:
        module, name = named.split("::")
        text = (ROOT / "tests" / module).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), named


def test_there_are_promises() -> None:
    assert len(promises()) > 15


def test_nothing_but_gets_leaves_and_only_to_the_configured_origin(tmp_path: Path) -> None:
    watch = tmp_path / "watch"
    environ = {
        "WATCH": str(watch),
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), TRAP),
        "NCLOUD_METADATA_API_ENDPOINT": TRAP,
    }
    start = ("-c", WATCHED)
    with answering(source_of(**IMAGES)) as (registry, url):
        quick = {"name": "my-registry", "interval": "1s", "expire_after": "10s"}
        config = f"--config.file={write_config(tmp_path, url, quick)}"
        run("check", config, environ=environ, start=start)
        assert not watch.exists(), "an offline check asks nobody"
        assert run("check", "--online", config, environ=environ, start=start).returncode == 0
        assert run("once", config, environ=environ, start=start).returncode == 0
        with Program(config, LISTEN, environ=environ, start=start) as program:
            program.ready()
            registry.fault = FAULTS["redirect"]
            program.wait_for_line("reason=redirect")
            program.stop()
    lines = set(watch.read_text().splitlines())
    port = httpx.URL(url).port
    assert f"socket.connect ('127.0.0.1', {port})" in lines
    assert [line for line in lines if f"'127.0.0.1', {port}" not in line] == []
    assert {request.method for request in registry.requests} == {"GET"}


class Account:
    """A configuration full of secrets, and all that was said meanwhile."""

    def __init__(self, directory: Path, url: str, signatures: set[str]) -> None:
        self.directory = directory
        self.signatures = signatures
        self.hashed = hash_of(PASSWORD)
        self._url = url
        self._seen: list[str] = []
        (directory / "secret-key").write_text(SECRET_KEY)
        (directory / "secret-key").chmod(0o644)
        (directory / "web.yml").write_text(users_section({"prom": self.hashed}))
        self.path = directory / "ncr-exporter.yml"
        self.write()

    def write(self, **sections: object) -> None:
        """Write the configuration, with these sections in place of its own."""
        refused = {"access_key": "CANARY-OTHER", "secret_key": "CANARY-WRONG"}
        content = {
            "api": {"base_url": self._url, "requests_per_second": 500},
            "credentials": {"access_key": "${KEY_ID}", "secret_key_file": "secret-key"},
            "registries": [
                {"name": "my-registry", "interval": "1s", "expire_after": "10s"},
                {"name": "my-registry", "label": "refused", "credentials": refused},
            ],
            **sections,
        }
        self.path.write_text(json.dumps(content))

    def run(self, *argv: str, start: tuple[str, str] = ("-m", "ncr_exporter")) -> str:
        """Run a command at debug; return what it said."""
        config = (f"--config.file={self.path}", "--log.level=debug", "--log.format=json")
        environ = {"KEY_ID": ACCESS_KEY}
        done = run(*argv, *config, environ=environ, start=start)
        self.saw(done.stdout, done.stderr)
        return done.stdout + done.stderr

    def saw(self, *texts: str) -> None:
        """Keep what somebody could read."""
        self._seen += texts

    def shown(self) -> list[str]:
        """Return the secrets that could be read somewhere."""
        text = "\n".join(self._seen)
        secrets = {"CANARY", self.hashed, authorization("prom", PASSWORD), *self.signatures}
        return [secret for secret in sorted(secrets) if secret in text]


@contextmanager
def account(directory: Path) -> Iterator[Account]:
    registry = SimulatedRegistry(
        source_of(**IMAGES), keys={ACCESS_KEY: SECRET_KEY}, clock=SystemClock()
    )
    signatures: set[str] = set()

    async def overheard(request: Request) -> Response:
        signatures.add(request.headers.get("x-ncp-apigw-signature-v2", "none"))
        return await registry.handle(request)

    with serving(overheard) as url:
        yield Account(directory, url, signatures)


def all_pages(program: Program) -> list[str]:
    header = {"authorization": authorization("prom", PASSWORD)}
    answers = [program.get(path, **header) for path in PAGES]
    answers.append(program.get("/config"))  # without the password
    answers.append(httpx.post(f"{program.url}/-/reload", headers=header, trust_env=False))
    return [f"{answer.headers} {answer.text}" for answer in answers]


def test_no_secret_appears_anywhere(tmp_path: Path) -> None:
    recording, storage = tmp_path / "recording", tmp_path / "storage"
    with account(tmp_path) as it:
        it.run("check")
        assert "ok " in it.run("check", "--online", f"--record={recording}")
        for form in ("prometheus", "table", "json", "csv"):
            assert "team/tool" in it.run("once", f"--format={form}")
        it.saw(*(path.read_text() for path in recording.iterdir()))
        flags = (f"--storage.path={storage}", f"--web.config.file={tmp_path / 'web.yml'}")
        more = ("--web.enable-lifecycle", "--log.level=debug", LISTEN)
        argv = (f"--config.file={it.path}", *flags, *more)
        with Program(*argv, environ={"KEY_ID": ACCESS_KEY}) as program:
            program.wait_for_line("reason=authentication")
            it.saw(*all_pages(program))
            it.write(credentials={"access_key": ["CANARY-LIST"], "secret-key": "CANARY-TYPO"})
            it.saw(*all_pages(program))
            program.stop()
            it.saw(program.process.stdout.read() if program.process.stdout else "", *program.log)
        it.saw(
            *(b"\n".join(read_state(path)).decode("latin-1") for path in storage.glob("*.state"))
        )
        it.write(api={"proxy_url": "http://CANARY-USER:CANARY-PROXY@127.0.0.1:9"})
        assert "FAILED" in it.run("check", "--online")
        assert len(it.signatures) > 5
        assert it.shown() == []


@pytest.mark.parametrize("argv", [("once",), ("check", "--online")], ids=" ".join)
def test_a_crash_shows_no_secret(argv: tuple[str, ...], tmp_path: Path) -> None:
    with account(tmp_path) as it:
        said = it.run(*argv, start=("-c", CRASHING))
        assert "nobody foresaw this" in said
        assert it.shown() == []
