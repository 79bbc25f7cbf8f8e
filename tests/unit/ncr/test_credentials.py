"""Where keys come from, in which order, and that no message ever quotes one."""

import asyncio
import os
import threading
import time
import traceback
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from ncr_exporter.config import CredentialsConfig, Secret
from ncr_exporter.ncr.credentials import ConfiguredCredentials, SecretFile, find_credentials
from ncr_exporter.ncr.keys import Credentials, CredentialsError, KeyPair
from ncr_exporter.runtime import timely
from tests.support.clock import eventually

ENVIRONMENT = {"NCLOUD_ACCESS_KEY_ID": "env-id", "NCLOUD_SECRET_ACCESS_KEY": "env-secret"}
NOWHERE = CredentialsConfig()
CONFIGURED = CredentialsConfig(access_key=Secret("file-id"), secret_key=Secret("file-secret"))


def revealed(credentials: Credentials) -> tuple[str, str]:
    pair = (
        credentials.read()
        if isinstance(credentials, ConfiguredCredentials)
        else credentials.current()
    )
    return pair.access_key.reveal(), pair.secret_key.reveal()


def revealed_last(credentials: Credentials) -> str:
    return credentials.current().secret_key.reveal()


def write_configure(home: Path, text: str | bytes) -> Path:
    path = home / ".ncloud" / "configure"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory with keys in the vendor's file."""
    write_configure(
        tmp_path, "ncloud_access_key_id = home-id\nncloud_secret_access_key = home-secret\n"
    )
    return tmp_path


def test_the_configuration_comes_first(home: Path) -> None:
    found = find_credentials(CONFIGURED, home, {**ENVIRONMENT, "HOME": str(home)})
    assert revealed(found) == ("file-id", "file-secret")
    assert found.source == "configuration"


def test_the_environment_comes_second(home: Path) -> None:
    found = find_credentials(NOWHERE, home, {**ENVIRONMENT, "HOME": str(home)})
    assert revealed(found) == ("env-id", "env-secret")
    assert found.source == "environment"


def test_the_vendors_file_comes_last(home: Path) -> None:
    found = find_credentials(NOWHERE, home, {"HOME": str(home)})
    assert revealed(found) == ("home-id", "home-secret")
    assert found.source == str(home / ".ncloud" / "configure")


@pytest.mark.parametrize(
    ("environ", "pair"),
    [
        ({"NCLOUD_ACCESS_KEY_ID": "a", "NCLOUD_SECRET_ACCESS_KEY": "s"}, ("a", "s")),
        ({"NCLOUD_ACCESS_KEY": "a", "NCLOUD_SECRET_KEY": "s"}, ("a", "s")),
        ({"NCLOUD_ACCESS_KEY_ID": "a", "NCLOUD_SECRET_KEY": "s"}, ("a", "s")),
        ({"NCLOUD_ACCESS_KEY": "a", "NCLOUD_SECRET_ACCESS_KEY": "s"}, ("a", "s")),
        (
            {
                "NCLOUD_ACCESS_KEY": "a2",
                "NCLOUD_ACCESS_KEY_ID": "a1",
                "NCLOUD_SECRET_KEY": "s2",
                "NCLOUD_SECRET_ACCESS_KEY": "s1",
            },
            ("a1", "s1"),
        ),
        (
            {
                "NCLOUD_ACCESS_KEY": "a2",
                "NCLOUD_ACCESS_KEY_ID": "",
                "NCLOUD_SECRET_KEY": "s2",
                "NCLOUD_SECRET_ACCESS_KEY": "",
            },
            ("a2", "s2"),
        ),
    ],
)
def test_both_spellings_of_the_variables_are_read(
    environ: dict[str, str], pair: tuple[str, str], tmp_path: Path
) -> None:
    found = find_credentials(NOWHERE, tmp_path, {**environ, "HOME": str(tmp_path)})
    assert revealed(found) == pair


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_half_a_pair_in_the_environment_is_not_joined_with_half_of_another(
    name: str, home: Path
) -> None:
    environ = {name: ENVIRONMENT[name], "HOME": str(home)}
    assert revealed(find_credentials(NOWHERE, home, environ)) == ("home-id", "home-secret")


@pytest.mark.parametrize(
    "text",
    [
        "ncloud_access_key_id=a\nncloud_secret_access_key=s=1\n",
        "ncloud_access_key_id = a\r\nncloud_secret_access_key = s=1\r\n",
        "  ncloud_access_key_id\t=\ta  \n\n  ncloud_secret_access_key = s=1",
        "[DEFAULT]\nncloud_access_key_id = a\nncloud_secret_access_key = s=1\nncloud_api_url = x\n",
        "# ncloud_access_key_id = old\nncloud_access_key_id = a\nncloud_secret_access_key = s=1\n",
    ],
)
def test_the_vendors_file_is_read_as_its_tools_write_it(text: str, tmp_path: Path) -> None:
    write_configure(tmp_path, text)
    assert revealed(find_credentials(NOWHERE, tmp_path, {"HOME": str(tmp_path)})) == ("a", "s=1")


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"\n\n",
        b"\xff\xfe\x00\x01",
        b"ncloud_access_key_id = canary\n",
        b"ncloud_secret_access_key = canary\n",
        b"ncloud_access_key_id = \nncloud_secret_access_key = canary\n",
        b"ncloud_access_key_id: canary\nncloud_secret_access_key: canary\n",
    ],
)
def test_no_key_anywhere_says_where_one_could_stand(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        write_configure(tmp_path, content)
    environ = {"HOME": str(tmp_path), "NCLOUD_ACCESS_KEY": "canary"}
    with pytest.raises(CredentialsError) as caught:
        find_credentials(NOWHERE, tmp_path, environ)
    message = str(caught.value)
    assert "configuration" in message
    assert "NCLOUD_ACCESS_KEY_ID" in message
    assert "NCLOUD_SECRET_ACCESS_KEY" in message
    assert str(tmp_path / ".ncloud" / "configure") in message
    assert "canary" not in "".join(traceback.format_exception(caught.value))


PROFILES = """
[DEFAULT]
ncloud_access_key_id = default-id
ncloud_secret_access_key = default-secret
ncloud_api_url = https://ncloud.apigw.ntruss.com

[project]
ncloud_access_key_id = project-id
ncloud_secret_access_key = project-secret

[half]
ncloud_access_key_id = half-id
"""


@pytest.mark.parametrize(
    ("profile", "pair", "shown"),
    [
        (None, ("default-id", "default-secret"), "DEFAULT"),
        ("", ("default-id", "default-secret"), "DEFAULT"),
        ("DEFAULT", ("default-id", "default-secret"), "DEFAULT"),
        ("project", ("project-id", "project-secret"), "project"),
    ],
)
def test_of_several_profiles_the_default_is_used_or_the_one_that_is_asked_for(
    tmp_path: Path, profile: str | None, pair: tuple[str, str], shown: str
) -> None:
    path = write_configure(tmp_path, PROFILES)
    chosen = {} if profile is None else {"NCLOUD_PROFILE": profile}
    found = find_credentials(NOWHERE, tmp_path, {"HOME": str(tmp_path), **chosen})
    assert revealed(found) == pair
    assert found.source == f"{path} [{shown}]"


def test_a_profile_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    write_configure(tmp_path, PROFILES)
    with pytest.raises(CredentialsError) as caught:
        find_credentials(NOWHERE, tmp_path, {"HOME": str(tmp_path), "NCLOUD_PROFILE": "other"})
    assert "has no profile [other]; set NCLOUD_PROFILE to one" in str(caught.value)
    assert "[DEFAULT], [project], [half]" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_half_a_pair_in_a_profile_is_not_joined_with_half_of_the_default(tmp_path: Path) -> None:
    write_configure(tmp_path, PROFILES)
    with pytest.raises(CredentialsError, match="no API key"):
        find_credentials(NOWHERE, tmp_path, {"HOME": str(tmp_path), "NCLOUD_PROFILE": "half"})


def test_without_a_default_the_only_profile_is_used_and_of_two_neither(tmp_path: Path) -> None:
    project = PROFILES[PROFILES.index("[project]") : PROFILES.index("[half]")]
    path = write_configure(tmp_path, project)
    found = find_credentials(NOWHERE, tmp_path, {"HOME": str(tmp_path)})
    assert revealed(found) == ("project-id", "project-secret")
    assert found.source == f"{path} [project]"
    write_configure(tmp_path, project + project.replace("project", "second"))
    with pytest.raises(CredentialsError, match=r"NCLOUD_PROFILE .*\[project\], \[second\]"):
        find_credentials(NOWHERE, tmp_path, {"HOME": str(tmp_path)})


def test_the_vendors_file_is_read_again_when_its_key_is_rotated(home: Path) -> None:
    found = find_credentials(NOWHERE, home, {"HOME": str(home)})
    write_configure(home, "ncloud_access_key_id = new\nncloud_secret_access_key = newer\n")
    assert revealed(found) == ("new", "newer")
    path = write_configure(home, "")
    with pytest.raises(CredentialsError, match="no API key"):
        found.current()
    path.write_text("ncloud_access_key_id = back\nncloud_secret_access_key = again\n")
    assert revealed(found) == ("back", "again")


def test_a_directory_in_place_of_the_vendors_file_is_no_key(tmp_path: Path) -> None:
    (tmp_path / ".ncloud" / "configure").mkdir(parents=True)
    with pytest.raises(CredentialsError, match="no API key"):
        find_credentials(NOWHERE, tmp_path, {"HOME": str(tmp_path)})


FILES = CredentialsConfig(access_key=Secret("id"), secret_key_file="secret")


def found_in(directory: Path, config: CredentialsConfig = FILES) -> Credentials:
    return find_credentials(config, directory, {"HOME": str(directory), **ENVIRONMENT})


def test_a_file_named_in_the_configuration_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("  s1\n")
    found = found_in(tmp_path)
    assert revealed(found) == ("id", "s1")
    assert found.source == "configuration"


def test_a_file_with_an_absolute_path_lies_there(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("i1")
    (tmp_path / "secret").write_text("s1")
    config = CredentialsConfig(
        access_key_file=str(tmp_path / "id"), secret_key_file=str(tmp_path / "secret")
    )
    assert revealed(found_in(Path("/elsewhere"), config)) == ("i1", "s1")


def test_a_file_is_read_again_when_it_is_rewritten(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s1")
    found = found_in(tmp_path)
    (tmp_path / "secret").write_text("longer")
    assert revealed(found) == ("id", "longer")


def test_a_file_is_read_again_when_another_of_its_size_and_time_takes_its_place(
    tmp_path: Path,
) -> None:
    path, other = tmp_path / "secret", tmp_path / "other"
    path.write_text("s1")
    found = found_in(tmp_path)
    other.write_text("s2")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    assert revealed(found) == ("id", "s2")


def test_a_file_is_read_again_when_kubernetes_swaps_the_directory(tmp_path: Path) -> None:
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "secret").write_text(f"s{version}")
    (tmp_path / "..data").symlink_to("1")
    (tmp_path / "secret").symlink_to("..data/secret")
    found = found_in(tmp_path)
    assert revealed(found) == ("id", "s1")
    (tmp_path / "..new").symlink_to("2")
    (tmp_path / "..new").replace(tmp_path / "..data")
    assert revealed(found) == ("id", "s2")


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s1")
    file = SecretFile(path)
    assert file.read() is file.read()


def test_a_key_of_the_same_length_is_read_though_its_old_time_was_put_back(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s1")
    found = found_in(tmp_path)
    before = path.stat()
    path.write_text("s2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert revealed(found) == ("id", "s2")


def test_a_file_that_stays_unreadable_is_refused_at_each_reading(tmp_path: Path) -> None:
    file = SecretFile(tmp_path)
    for _ in range(2):
        with pytest.raises(CredentialsError, match="cannot be read: it is a directory"):
            file.read()


def test_a_file_that_comes_back_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s1")
    found = found_in(tmp_path)
    path.unlink()
    with pytest.raises(CredentialsError, match="secret cannot be read: no such file"):
        revealed(found)
    path.write_text("")
    with pytest.raises(CredentialsError, match="secret is empty; it must hold the key"):
        revealed(found)
    path.write_text("s2")
    assert revealed(found) == ("id", "s2")


async def test_a_file_that_hangs_is_given_up_with_a_sentence_and_holds_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe that nobody writes to, as a file on a dead file server; it heals by itself."""
    monkeypatch.setattr(timely, "FILE_DEADLINE", 0.2)
    path = tmp_path / "secret"
    path.write_text("s1")
    found = found_in(tmp_path)
    await found.refresh()
    path.unlink()
    os.mkfifo(path)
    before = set(threading.enumerate())
    started = time.monotonic()
    await found.refresh()
    assert revealed_last(found) == "s1", "it was looked at less than a second ago"
    found.record_refusal()
    asked = [found.refresh() for _ in range(20)]
    errors = await asyncio.gather(*asked, return_exceptions=True)
    assert time.monotonic() - started < 2.0
    assert {type(error) for error in errors} == {CredentialsError}
    assert str(errors[0]).startswith(f"{path} cannot be read: nothing came within 0.2 s")
    await eventually(lambda: set(threading.enumerate()) <= before)
    with pytest.raises(CredentialsError, match="was not read"):
        found.current()
    path.unlink()
    path.write_text("s2")
    await found.refresh()
    assert revealed_last(found) == "s2"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: no such file"),
        (b"", "is empty; it must hold the key"),
        (b" \n\t\n", "is empty; it must hold the key"),
        (b"canary\xff\xfe", "cannot be read: is not text"),
    ],
)
def test_a_file_without_a_key_is_named_at_the_start(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CredentialsError) as caught:
        found_in(tmp_path)
    assert str(caught.value) == f"{path} {message}"
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_directory_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    with pytest.raises(CredentialsError, match="secret cannot be read: it is a directory"):
        found_in(tmp_path)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 300, ""])
def test_a_path_that_cannot_be_is_an_error_for_people(name: str, tmp_path: Path) -> None:
    config = CredentialsConfig(access_key=Secret("id"), secret_key_file=name)
    with pytest.raises(CredentialsError, match="cannot be read"):
        found_in(tmp_path, config)


BAD_KEYS = [
    "can\nary",
    "can\r\nary",
    "can ary",
    "can\tary",
    "can\0ary",
    "can\x7fary",
    "canäry",
    "canary\n",
    " canary",
    "can\u2028ary",
    "\ud800canary",
    "",
]


@pytest.mark.parametrize("key", BAD_KEYS)
@pytest.mark.parametrize("which", ["access", "secret"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_without_quoting_it(
    key: str, which: str
) -> None:
    keys = {"access": Secret("good"), "secret": Secret("good"), which: Secret(key)}
    with pytest.raises(CredentialsError) as caught:
        KeyPair(access_key=keys["access"], secret_key=keys["secret"])
    assert str(caught.value) == f"the {which} key holds characters that no key has; paste it again"


@given(st.text())
def test_any_text_is_a_key_or_refused_without_quoting_it(key: str) -> None:
    is_key = key != "" and all("!" <= character <= "~" for character in key)
    try:
        pair = KeyPair(Secret("good"), Secret(key))
    except CredentialsError as error:
        shown = str(error)
        assert not is_key
        assert shown == "the secret key holds characters that no key has; paste it again"
    else:
        assert is_key
        assert pair.secret_key.reveal() == key


@pytest.mark.parametrize("key", ["can ary", "canäry", "can\x7fary"])
def test_bad_characters_are_found_wherever_a_key_comes_from(key: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(key, encoding="utf-8")
    home = {"HOME": str(tmp_path)}
    environ = {"NCLOUD_ACCESS_KEY": "id", "NCLOUD_SECRET_KEY": key, **home}
    write_configure(tmp_path, f"ncloud_access_key_id = id\nncloud_secret_access_key = {key}\n")
    written = CredentialsConfig(access_key=Secret("id"), secret_key=Secret(key))
    for config, variables, holder in (
        (written, {}, "the secret key"),
        (FILES, {}, f"{tmp_path}/secret"),
        (NOWHERE, environ, "the variable NCLOUD_SECRET_KEY"),
        (NOWHERE, home, f"ncloud_secret_access_key in {tmp_path}/.ncloud/configure"),
    ):
        with pytest.raises(CredentialsError, match=f"^{holder} holds characters") as caught:
            find_credentials(config, tmp_path, variables)
        assert key not in "".join(traceback.format_exception(caught.value))


def test_a_file_that_turns_bad_is_refused_when_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s1")
    found = found_in(tmp_path)
    (tmp_path / "secret").write_text("two\nlines")
    with pytest.raises(CredentialsError, match="secret holds several lines; only the key may be"):
        revealed(found)


def test_no_source_shows_its_keys(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    write_configure(tmp_path, "ncloud_access_key_id = canary\nncloud_secret_access_key = canary\n")
    home = {"HOME": str(tmp_path)}
    environ = {**home, "NCLOUD_ACCESS_KEY": "canary", "NCLOUD_SECRET_KEY": "canary"}
    written = CredentialsConfig(access_key=Secret("canary"), secret_key=Secret("canary"))
    for config, variables in ((written, home), (FILES, home), (NOWHERE, environ), (NOWHERE, home)):
        found = find_credentials(config, tmp_path, variables)
        pair = found.current()
        assert pair.secret_key.reveal() == "canary"
        assert "canary" not in f"{found} {found!r} {found.source} {pair} {config!r}"


def test_a_file_that_everybody_can_read_is_warned_of_once(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("canary")
    with structlog.testing.capture_logs() as logs:
        for mode in (0o600, 0o640, 0o644, 0o444):
            path.chmod(mode)
            SecretFile(path).read()
        same = SecretFile(path)
        same.read()
        path.write_text("canary-2")
        same.read()
    assert len(logs) == 3, "two files of others' modes, and the last one once"
    assert {entry["file"] for entry in logs} == {str(path)}
    assert "canary" not in str(logs)
