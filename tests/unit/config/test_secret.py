"""What `/config` shows: the file as written, and no secret wherever it stands."""

from pathlib import Path

import pytest
import structlog.testing
import yaml

from ncr_exporter.config import load, parse
from ncr_exporter.config.secret import redacted

CANARY = "S3cr3tC4nary"
IMAGES = "registries: [{name: mine, images: [app]}]\n"


def test_it_is_the_file_as_written_before_variables_are_expanded() -> None:
    text = "api: {base_url: 'https://${HOST}'}\nregistries:\n- name: ${TEAM}\n  stale_after: 30d\n"
    config = parse(text, "F", {"HOST": "a.example", "TEAM": "b"})
    assert yaml.safe_load(config.redacted) == yaml.safe_load(text)


def test_names_in_any_script_can_be_read() -> None:
    assert "이미지" in redacted("registries: [{name: mine, images: [이미지]}]").text


@pytest.mark.parametrize(
    "text",
    [
        "credentials: {access_key: X, secret_key: X}",
        "credentials:\n  access_key: id\n  secret_key: 'X' # X too\n",
        "credentials:\n  access_key: id\n  secret_key: |-\n    X\n",
        'credentials: {access_key: id, secret_key: "X"}',
        "api: {proxy_url: 'http://me:X@proxy.example'}",
        "credentials: &c {access_key: id, secret_key: X}\napi: {}",
        "credentials: {access_key: id, secret_key: &k X}\ndefaults: {keep_tags: [*k]}",
        "defaults: {keep_tags: [&k X]}\ncredentials: {access_key: id, secret_key: *k}",
        "# X\ncredentials: {access_key: id, secret_key: X}",
    ],
)
def test_no_secret_is_shown(text: str) -> None:
    config = parse(f"{text.replace('X', CANARY)}\n{IMAGES}", "F", {})
    assert CANARY not in config.redacted
    assert "<secret>" in config.redacted


def test_a_registrys_own_keys_are_masked_and_files_are_not() -> None:
    text = """
credentials: {access_key: '${KEY}', secret_key_file: /run/secrets/key}
registries:
- name: mine
  credentials: {access_key: a1, secret_key: s1}
"""
    content = yaml.safe_load(parse(text, "F", {"KEY": "k"}).redacted)
    assert content["credentials"] == {
        "access_key": "<secret>",
        "secret_key_file": "/run/secrets/key",
    }
    own = content["registries"][0]["credentials"]
    assert own == {"access_key": "<secret>", "secret_key": "<secret>"}


def test_an_empty_file_shows_nothing() -> None:
    assert redacted("").text == ""


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("credentials: {access_key: id, secret_key: X}", True),
        ("credentials: {access_key: id, secret_key: '${KEY}'}", False),
        ("credentials: {access_key: id, secret_key_file: key}", False),
        ("credentials: {source: server_role}", False),
        ("api: {proxy_url: 'http://me:X@proxy.example'}", True),
        ("api: {proxy_url: 'http://me:${KEY}@proxy.example'}", False),
        ("api: {proxy_url: 'http://proxy.example'}", False),
    ],
)
@pytest.mark.parametrize(("mode", "is_open"), [(0o600, False), (0o640, False), (0o644, True)])
def test_a_secret_in_a_file_that_everybody_can_read_is_warned_of(
    tmp_path: Path, text: str, mode: int, *, warned: bool, is_open: bool
) -> None:
    path = tmp_path / "ncr-exporter.yml"
    path.write_text(f"{text.replace('X', CANARY)}\n{IMAGES}")
    path.chmod(mode)
    with structlog.testing.capture_logs() as logs:
        load(str(path), {"KEY": CANARY})
    assert [entry["file"] for entry in logs] == [str(path)] * (warned and is_open)
    assert CANARY not in str(logs)
