"""Mistakes outside the file's own text: keys, files and variables, each with its whole message.

Those of the text itself are the gallery in `tests/data/config/`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.in_process import run

NO_KEY = (
    "NCLOUD_ACCESS_KEY",
    "NCLOUD_ACCESS_KEY_ID",
    "NCLOUD_SECRET_KEY",
    "NCLOUD_SECRET_ACCESS_KEY",
    "NCLOUD_PROFILE",
    "NCR_EXPORTER_REGISTRIES",
)
"""Variables that whoever runs the tests may have set."""
CONFIGURE = (
    "Set NCLOUD_ACCESS_KEY_ID and NCLOUD_SECRET_ACCESS_KEY in the environment, "
    "or credentials in the configuration, or write HOME/.ncloud/configure"
)
ONE = "registries: [{name: mine, images: [app]}]\n"
FILES = "credentials:\n  access_key: id\n  secret_key_file: key\n" + ONE


def refused(
    home: Path, text: str = ONE, environ: Mapping[str, str] | None = None, *argv: str
) -> list[str]:
    """Return what `check` says on stderr of a configuration that it refuses, line by line.

    `FILE` stands for the file, `HOME` for its directory, which is the user's home.
    """
    path = home / "ncr-exporter.yml"
    path.write_text(text, encoding="utf-8")
    variables = {**(environ or {}), "HOME": str(home)}
    with pytest.MonkeyPatch.context() as patched:
        for name in NO_KEY:
            patched.delenv(name, raising=False)
        done = run("check", f"--config.file={path}", *argv, environ=variables)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    assert "hush" not in done.stderr
    told = done.stderr.replace(f"{path}", "FILE").replace(f"{home}", "HOME")
    return [line.removeprefix("ncr-exporter: ") for line in told.splitlines()]


class Mistake(NamedTuple):
    """A configuration, what surrounds it, and all that is said of it."""

    told: str
    text: str = ONE
    environ: Mapping[str, str] = {}
    prepare: Callable[[Path], object] = lambda _: None


def key(content: str | bytes) -> Callable[[Path], object]:
    """Return what writes the file `key`."""
    data = content.encode() if isinstance(content, str) else content
    return lambda home: (home / "key").write_bytes(data)


def in_directory(name: str) -> Callable[[Path], object]:
    """Return what writes a key into a directory of this name."""

    def write(home: Path) -> None:
        (home / name).mkdir()
        (home / name / "secret-key").write_text("hush")

    return write


def configure(content: str) -> Callable[[Path], object]:
    """Return what writes the file of the vendor's command line tool."""

    def write(home: Path) -> None:
        (home / ".ncloud").mkdir()
        (home / ".ncloud" / "configure").write_text(content)

    return write


NEEDED = "it is needed by registry mine"
AT_KEY = "FILE:3: credentials.secret_key_file: HOME/key"
MISTAKES = {
    "no key at all": Mistake(
        f"FILE:1: registries[0]: no API key: {CONFIGURE.replace('Set', 'set')}; {NEEDED}"
    ),
    "an access key alone in the environment": Mistake(
        "FILE:1: registries[0]: no API key: NCLOUD_ACCESS_KEY is set, and "
        f"NCLOUD_SECRET_ACCESS_KEY or NCLOUD_SECRET_KEY is not. {CONFIGURE}; {NEEDED}",
        environ={"NCLOUD_ACCESS_KEY": "hush"},
    ),
    "a secret key alone in the environment": Mistake(
        "FILE:1: registries[0]: no API key: NCLOUD_SECRET_ACCESS_KEY is set, and "
        f"NCLOUD_ACCESS_KEY_ID or NCLOUD_ACCESS_KEY is not. {CONFIGURE}; {NEEDED}",
        environ={"NCLOUD_SECRET_ACCESS_KEY": "hush"},
    ),
    "a variable of another name": Mistake(
        "FILE:1: registries[0]: no API key: NCLOUD_ACCESS_KEY is set, and "
        "NCLOUD_SECRET_ACCESS_KEY or NCLOUD_SECRET_KEY is not. NCP_SECRET_KEY is not read; "
        f"did you mean 'NCLOUD_SECRET_KEY'? {CONFIGURE}; {NEEDED}",
        environ={"NCLOUD_ACCESS_KEY": "id", "NCP_SECRET_KEY": "hush"},
    ),
    "a variable that ends in a line feed": Mistake(
        "FILE:1: registries[0]: the variable NCLOUD_SECRET_KEY ends in a line feed; "
        f"set it without; {NEEDED}",
        environ={"NCLOUD_ACCESS_KEY": "id", "NCLOUD_SECRET_KEY": "hush\n"},
    ),
    "a variable with a byte order mark": Mistake(
        "FILE:1: registries[0]: the variable NCLOUD_ACCESS_KEY begins with a byte order mark; "
        f"set it without; {NEEDED}",
        environ={"NCLOUD_ACCESS_KEY": "\ufeffhush", "NCLOUD_SECRET_KEY": "hush"},
    ),
    "a variable in quotes": Mistake(
        "FILE:1: registries[0]: the variable NCLOUD_SECRET_KEY has quotes around it; "
        f"set it without; {NEEDED}",
        environ={"NCLOUD_ACCESS_KEY": "id", "NCLOUD_SECRET_KEY": '"hush"'},
    ),
    "a variable with a blank in the key": Mistake(
        "FILE:1: registries[0]: the variable NCLOUD_SECRET_KEY holds characters that no key has; "
        f"paste it again; {NEEDED}",
        environ={"NCLOUD_ACCESS_KEY": "id", "NCLOUD_SECRET_KEY": "hush hush"},
    ),
    "a variable that is empty": Mistake(
        "FILE:1: registries[0]: no API key: NCLOUD_ACCESS_KEY is set, and NCLOUD_SECRET_KEY is "
        f"empty. {CONFIGURE}; {NEEDED}",
        environ={"NCLOUD_ACCESS_KEY": "hush", "NCLOUD_SECRET_KEY": ""},
    ),
    "two variables that are empty": Mistake(
        "FILE:1: registries[0]: no API key: NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY are empty. "
        f"{CONFIGURE}; {NEEDED}",
        environ={"NCLOUD_ACCESS_KEY": "", "NCLOUD_SECRET_KEY": ""},
    ),
    "half a pair in the environment, and a profile that is not there": Mistake(
        "FILE:1: registries[0]: no API key: NCLOUD_ACCESS_KEY is set, and "
        "NCLOUD_SECRET_ACCESS_KEY or NCLOUD_SECRET_KEY is not. HOME/.ncloud/configure has no "
        f"profile [DEFAULT]; set NCLOUD_PROFILE to one of: [a], [b]. {CONFIGURE}; {NEEDED}",
        environ={"NCLOUD_ACCESS_KEY": "hush"},
        prepare=configure("[a]\nncloud_access_key_id = hush\n[b]\nncloud_access_key_id = hush\n"),
    ),
    "quotes in the vendor's file": Mistake(
        "FILE:1: registries[0]: ncloud_secret_access_key in HOME/.ncloud/configure has quotes "
        f"around it; set it without; {NEEDED}",
        prepare=configure('ncloud_access_key_id = id\nncloud_secret_access_key = "hush"\n'),
    ),
    "an empty file of the vendor": Mistake(
        "FILE:1: registries[0]: no API key: HOME/.ncloud/configure has no ncloud_access_key_id. "
        f"{CONFIGURE}; {NEEDED}",
        prepare=configure("# hush\n"),
    ),
    "half a pair in the vendor's file": Mistake(
        "FILE:1: registries[0]: no API key: HOME/.ncloud/configure has no "
        f"ncloud_secret_access_key. {CONFIGURE}; {NEEDED}",
        prepare=configure("ncloud_access_key_id = hush\n"),
    ),
    "a directory in place of the vendor's file": Mistake(
        "FILE:1: registries[0]: no API key: HOME/.ncloud/configure cannot be read: it is a "
        f"directory; name the file in it. {CONFIGURE}; {NEEDED}",
        prepare=lambda home: (home / ".ncloud" / "configure").mkdir(parents=True),
    ),
    "half a pair in the configuration": Mistake(
        "FILE:1: credentials: secret_key (or secret_key_file) is needed beside access_key",
        "credentials: {access_key: hush}\n" + ONE,
    ),
    "a key in quotes in the configuration": Mistake(
        "FILE:1: credentials.secret_key: the secret key has quotes around it; set it without; "
        f"{NEEDED}",
        "credentials: {access_key: id, secret_key: \"'hush'\"}\n" + ONE,
    ),
    "a placeholder in the configuration": Mistake(
        "FILE:1: credentials.access_key: the access key holds a placeholder in place of "
        f"the key; {NEEDED}\n"
        "FILE:1: credentials.secret_key: the secret key holds characters that no key has; "
        f"paste it again; {NEEDED}",
        "credentials: {access_key: <secret>, secret_key: hush hush}\n" + ONE,
    ),
    "a key file that is not there": Mistake(
        f"{AT_KEY} cannot be read: no such file; {NEEDED}",
        FILES,
    ),
    "a key file of a similar name": Mistake(
        f"{AT_KEY} cannot be read: no such file; did you mean HOME/key.txt? "
        "It is needed by registry mine",
        FILES,
        prepare=lambda home: (home / "key.txt").write_text("hush"),
    ),
    "a key file in a directory that is not there": Mistake(
        "FILE:3: credentials.secret_key_file: HOME/none/key cannot be read: no such file; "
        f"there is no directory HOME/none; {NEEDED}",
        FILES.replace("file: key", "file: none/key"),
    ),
    "a key file in the home directory's short form": Mistake(
        "FILE:3: credentials.secret_key_file: HOME/~/key cannot be read: no such file; ~ is "
        f"not expanded: write the whole path, or ${{HOME}}; {NEEDED}",
        FILES.replace("file: key", "file: ~/key"),
    ),
    "a directory in place of a key file": Mistake(
        f"{AT_KEY} cannot be read: it is a directory; name the file in it, such as "
        f"HOME/key/secret-key; {NEEDED}",
        FILES,
        prepare=in_directory("key"),
    ),
    "an empty key file": Mistake(
        f"{AT_KEY} is empty; it must hold the key; {NEEDED}", FILES, prepare=key("\n")
    ),
    "a key file with two lines": Mistake(
        f"{AT_KEY} holds several lines; only the key may be in it; {NEEDED}",
        FILES,
        prepare=key("hush\nhush\n"),
    ),
    "a key file with a blank in the key": Mistake(
        f"{AT_KEY} holds characters that no key has; paste it again; {NEEDED}",
        FILES,
        prepare=key("hush hush\n"),
    ),
    "a key file in UTF-16": Mistake(
        f"{AT_KEY} cannot be read: is not text; {NEEDED}",
        FILES,
        prepare=key("hush".encode("utf-16")),
    ),
    "a CA file that is not there": Mistake(
        "FILE:1: api.ca_file: HOME/ca.pem cannot be read as certificates: no such file",
        "api: {ca_file: ca.pem}\ncredentials: {access_key: id, secret_key: hush}\n" + ONE,
    ),
    "a key that the third registry needs": Mistake(
        "FILE:5: registries[2].credentials.access_key: ${NO_SUCH_KEY} is not set in the "
        "environment; for a dollar sign write $$",
        "credentials: {access_key: id, secret_key: hush}\n"
        "registries:\n  - one\n  - two\n"
        "  - {name: three, credentials: {access_key: '${NO_SUCH_KEY}', secret_key: hush}}\n",
    ),
    "a key that several registries need": Mistake(
        f"FILE:3: registries[1]: no API key: {CONFIGURE.replace('Set', 'set')}; "
        "it is needed by registries two, three, four and 1 more",
        "registries:\n  - {name: one, credentials: {access_key: id, secret_key: hush}}\n"
        "  - two\n  - three\n  - four\n  - five\n",
    ),
    "everything at once": Mistake(
        "FILE:1: api.zone: must be one of public, government, financial, not 'Public'; "
        "did you mean 'public'?\n"
        "FILE:3: registries[0].credentials.secret_key_file: HOME/none cannot be read: "
        "no such file; it is needed by registry one\n"
        "FILE:4: registries[1].region: the public zone has the regions kr, sgn, jpn, not "
        "'KR'; did you mean 'kr'?\n"
        f"FILE:4: registries[1]: no API key: {CONFIGURE.replace('Set', 'set')}; "
        "it is needed by registry two\n"
        "FILE:5: page_size: unknown key here; page_size belongs in `api`",
        "api: {zone: Public}\n"
        "registries:\n  - {name: one, credentials: {access_key: id, secret_key_file: none}}\n"
        "  - {name: two, region: KR}\npage_size: 5\n",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place_and_remedy(mistake: Mistake, tmp_path: Path) -> None:
    mistake.prepare(tmp_path)
    told = refused(tmp_path, mistake.text, mistake.environ)
    assert told == mistake.told.split("\n")


def test_a_byte_order_mark_in_a_key_file_is_none_of_the_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbfhush\r\n")
    path = tmp_path / "ncr-exporter.yml"
    path.write_text(FILES)
    assert run("check", f"--config.file={path}").returncode == 0


# Files that may not be read: as another user, since root may read everything


def _without_coverage() -> dict[str, str]:
    """Return the environment for a user who may not write where coverage is measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def checked_by_nobody(directory: Path, path: Path) -> str:
    """Return what `check` says on stderr when a user without rights runs it."""
    if os.geteuid():
        pytest.skip("only root can become another user")
    program = (
        "import os, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "from ncr_exporter.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(  # noqa: S603 -- our own program with a test's words
        [sys.executable, "-c", program, "check", f"--config.file={path}"],
        cwd=Path(__file__).resolve().parents[3],
        env={**_without_coverage(), "HOME": str(directory)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    return done.stderr.replace(f"{path}", "FILE").replace(f"{directory}", "HERE")


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that every user may enter; those of pytest are closed."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


RIGHTS = "(owner root, group root, mode 0600); make user nobody the owner, or chmod g+r and add "


def test_who_must_be_let_in_is_told_of_a_configuration(open_path: Path) -> None:
    path = open_path / "ncr-exporter.yml"
    path.write_text(ONE)
    path.chmod(0o600)
    assert checked_by_nobody(open_path, path) == (
        f"ncr-exporter: FILE: cannot be read: user nobody may not read it {RIGHTS}"
        "them to the group; name the file with --config.file\n"
    )


def test_who_must_be_let_in_is_told_of_a_key(open_path: Path) -> None:
    path, secret = open_path / "ncr-exporter.yml", open_path / "key"
    path.write_text(FILES)
    secret.write_text("hush")
    secret.chmod(0o600)
    assert checked_by_nobody(open_path, path) == (
        "ncr-exporter: FILE:3: credentials.secret_key_file: HERE/key cannot be read: user nobody "
        f"may not read it {RIGHTS}them to the group; {NEEDED}\n"
    )


def test_a_directory_that_may_not_be_entered_is_told(open_path: Path) -> None:
    closed = open_path / "closed"
    closed.mkdir(mode=0o700)
    path = closed / "ncr-exporter.yml"
    path.write_text(ONE)
    assert checked_by_nobody(open_path, path) == (
        "ncr-exporter: FILE: cannot be read: user nobody may not enter HERE/closed (owner root, "
        "group root, mode 0700); chmod o+x lets them in; name the file with --config.file\n"
    )


# The file itself


@pytest.mark.parametrize(
    ("present", "wanted", "told"),
    [
        ("a.yaml", "a.yml", "no such file; did you mean HOME/a.yaml? Name"),
        (None, "a.yml", "no such file; name"),
        (None, "none/a.yml", "no such file; there is no directory HOME/none; name"),
        ("a.yml", ".", "it is a directory; name the file in it, such as HOME/a.yml; name"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_what_is_there(
    present: str | None, wanted: str, told: str, tmp_path: Path
) -> None:
    if present:
        (tmp_path / present).write_text(ONE)
    path = tmp_path / wanted
    done = run("check", f"--config.file={path}")
    assert done.returncode == 2
    assert done.stderr.replace(f"{path}: ", "FILE: ").replace(f"{tmp_path}", "HOME") == (
        f"ncr-exporter: FILE: cannot be read: {told} the file with --config.file\n"
    )
