"""`check`: every mistake at once, else the plan; nobody is asked."""

import json
import socket
from pathlib import Path

import pytest

from tests.support import program
from tests.support.api_thread import KEYS
from tests.support.in_process import run

CREDENTIALS = f"credentials: {json.dumps(KEYS)}\n"


def checked(directory: Path, text: str, *argv: str, code: int = 0) -> str:
    """Return what `check` prints of a configuration; on stderr where it refuses it."""
    path = directory / "ncr-exporter.yml"
    path.write_text(text)
    path.chmod(0o600)
    done = run(*(argv or ("check",)), f"--config.file={path}")
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    said, other = (done.stderr, done.stdout) if code else (done.stdout, done.stderr)
    assert other == ""
    return said.replace(f"{path}", "FILE")


PLANNED = f"""
{CREDENTIALS}
registries:
  - name: my-registry
    images:
      - hello/world
      - {{name: team-a/*, interval: 1h, stale_after: 30d}}
    exclude: ["*/cache"]
  - {{name: other, region: sgn, label: elsewhere}}
  - {{name: third, credentials: {{access_key: CANARY-A, secret_key: CANARY-S}}, images: [app]}}
"""

PLAN = """\
account  https://ncr.apigw.ntruss.com, key from configuration

  registry my-registry, kr
    hello/world  every 15m, stale after 90d
    team-a/*     found when listing, every 1h, stale after 30d
    without */cache

  registry other, as elsewhere, sgn
    *  found when listing, every 15m, stale after 90d

  requests an hour: 20 of 18,000 allowed
  more for lists of several pages, and for images found when listing

account  https://ncr.apigw.ntruss.com, key from configuration

  registry third, kr
    app  every 15m, stale after 90d

  requests an hour: 12 of 18,000 allowed
  more for lists of several pages

FILE is valid
"""


def test_the_program_itself_checks(tmp_path: Path) -> None:
    path = tmp_path / "ncr-exporter.yml"
    path.write_text(f"{CREDENTIALS}registries: [a]\n")
    done = program.run("check", f"--config.file={path}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"\n{path} is valid, with 1 warning\n")
    path.write_text("registries: []\n")
    done = program.run("check", f"--config.file={path}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"ncr-exporter: {path}:1: registries: must not be an empty list\n"


@pytest.mark.parametrize("argv", [["check"], ["--config.check"], ["serve", "--config.check=true"]])
def test_the_plan_names_accounts_registries_images_and_requests(
    argv: list[str], tmp_path: Path
) -> None:
    assert checked(tmp_path, PLANNED, *argv) == PLAN


def test_the_plan_says_what_is_needed_at_least_where_unchanged_tags_are_not_listed(
    tmp_path: Path,
) -> None:
    said = checked(
        tmp_path,
        f"{CREDENTIALS}defaults: {{relist_after: 1d}}\n"
        "registries: [{name: my-registry, images: [a, b, c, d, e, f, g]}]\n",
    )
    assert "    a  every 15m, unchanged tags every 1d, stale after 90d" in said
    assert "if nothing changes" in said
    assert "at most " in said


def test_every_registry_of_an_account_is_planned(tmp_path: Path) -> None:
    said = checked(tmp_path, f'{CREDENTIALS}registries: [{{name: "*", interval: 1h}}]\n')
    assert 'every registry in kr that no other entry names ("*")' in said
    assert "    *  found when listing, every 1h, stale after 90d" in said


@pytest.mark.parametrize(
    ("interval", "warning"),
    [
        ("1m", None),
        (
            "22s",
            "1.8 requests a second needed at least, 2 allowed: little room",
        ),
        (
            "10s",
            "4 requests a second needed at least, 2 allowed: intervals will be 2 ",
        ),
    ],
)
def test_a_plan_that_does_not_fit_is_warned_of(
    interval: str, warning: str | None, tmp_path: Path
) -> None:
    images = ", ".join(f"app-{number}" for number in range(38))
    text = (
        f"api: {{requests_per_second: 2}}\n{CREDENTIALS}defaults: {{interval: {interval}}}\n"
        f"registries: [{{name: mine, images: [{images}]}}]\n"
    )
    said = checked(tmp_path, text)
    assert ("warning: " in said) == (warning is not None)
    if warning:
        assert f"warning: mine: {warning}" in said
        assert "raise api.requests_per_second" in said


@pytest.mark.parametrize(("size", "warned"), [(1000, False), (1001, True)])
def test_a_page_size_beyond_the_largest_known_page_is_warned_of(
    size: int,
    warned: bool,  # noqa: FBT001 -- a parametrised expectation
    tmp_path: Path,
) -> None:
    said = checked(tmp_path, f"api: {{page_size: {size}}}\n{CREDENTIALS}registries: [a]\n")
    line = "warning: api.page_size: 1,001 may be more than a page can hold; version 3 allows 1,000"
    assert (line in said) == warned


def test_the_plan_names_the_host_of_each_region_in_version_3(tmp_path: Path) -> None:
    registries = "registries: [{name: mine, region: kr}, {name: other, region: sgn}]\n"
    said = checked(tmp_path, f"api: {{version: v3}}\n{CREDENTIALS}{registries}")
    hosts = "https://kr-ncr.apigw.ntruss.com, https://sg-ncr.apigw.ntruss.com"
    assert f"account  {hosts}, key from " in said
    assert "warning: " not in said
    api = "{version: v3, base_url: https://gateway.example}"
    said = checked(tmp_path, f"api: {api}\n{CREDENTIALS}{registries}")
    assert "account  https://gateway.example, key from " in said
    assert "warning: api.base_url: it stands in for the host of every region, and kr, sgn" in said


def test_every_problem_is_told_with_its_line_and_remedy(tmp_path: Path) -> None:
    text = f"api:\n  zone: publik\n  page_sise: 5\nregistries:\n- nam: a\n{CREDENTIALS}"
    at, every = "ncr-exporter: FILE:", '"*" is every one of the account'
    zones = "public, government, financial"
    for argv in (["check"], ["--config.check"], ["check", "--online"]):
        said = checked(tmp_path, text, *argv, code=2)
        assert said.splitlines() == [
            f"{at}2: api.zone: must be one of {zones}, not 'publik'; did you mean 'public'?",
            f"{at}3: api.page_sise: unknown key; did you mean 'page_size'?",
            f"{at}5: registries[0].nam: unknown key; did you mean 'name'?",
            f"{at}5: registries[0].name: is needed: the registry's name; {every}",
        ]


def test_all_accounts_without_a_key_are_told_at_once(tmp_path: Path) -> None:
    text = """
registries:
  - {name: a, credentials: {access_key: x, secret_key_file: nowhere}}
  - {name: b, credentials: {access_key: x, secret_key_file: elsewhere}}
"""
    said = checked(tmp_path, text, code=2)
    at, no_file = "ncr-exporter: FILE", "cannot be read: no such file; it is needed by registry"
    assert said.splitlines() == [
        f"{at}:3: registries[0].credentials.secret_key_file: {tmp_path / 'nowhere'} {no_file} a",
        f"{at}:4: registries[1].credentials.secret_key_file: {tmp_path / 'elsewhere'} {no_file} b",
    ]


def test_a_file_is_judged_where_its_keys_cannot_be_read(tmp_path: Path) -> None:
    text = "credentials: {access_key: x, secret_key_file: nowhere}\nregistries: [a]\n"
    alone = ("check", "--file-only")
    assert "nowhere cannot be read" in checked(tmp_path, text, code=2)
    said = checked(tmp_path, text, *alone)
    assert said.endswith("FILE is valid, with 1 warning\n")
    assert "key from a place that was not looked at" in said
    assert "must not be an empty list" in checked(tmp_path, "registries: []", *alone, code=2)


def test_a_ca_file_that_is_none_is_told(tmp_path: Path) -> None:
    text = f"api: {{ca_file: no.pem}}\n{CREDENTIALS}registries: [a]\n"
    assert "api.ca_file" in checked(tmp_path, text, code=2)


def test_nobody_is_asked_and_no_key_is_shown(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        text = (
            f"api: {{base_url: '{url}'}}\nregistries: [a]\n"
            "credentials: {access_key: CANARY-A, secret_key: CANARY-S}\n"
        )
        assert "CANARY" not in checked(tmp_path, text)
        with pytest.raises(TimeoutError):
            server.accept()


def test_who_asks_the_api_needs_a_key(tmp_path: Path) -> None:
    argv = ("check", "--online", "--file-only")
    said = checked(tmp_path, f"{CREDENTIALS}registries: [a]\n", *argv, code=2)
    assert "--online needs the API key, and --file-only looks for none" in said


@pytest.mark.parametrize("argv", [["--record=somewhere"], ["--findings"]])
def test_what_needs_the_api_needs_online(argv: list[str], tmp_path: Path) -> None:
    said = checked(tmp_path, f"{CREDENTIALS}registries: [a]\n", "check", *argv, code=2)
    assert f"{argv[0].partition('=')[0]} needs --online" in said
