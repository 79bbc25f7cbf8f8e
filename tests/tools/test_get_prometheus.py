"""Programs out of packages, one of which is given another place to look for its data."""

import time
from pathlib import Path

import pytest

from tools import get_prometheus
from tools.get_prometheus import NEWER_PROMETHEUS, PROMETHEUS, fetch, find, relocate
from tools.getting import CannotGetError, Commands

DATA = Path("/usr/share/thing/data")


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    data = tmp_path / "unpacked" / "usr" / "share" / "thing" / "data"
    data.mkdir(parents=True)
    (data / "default.tmpl").write_text("a template")
    return tmp_path / "unpacked"


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    (tmp_path / "ready").mkdir()
    return tmp_path / "ready"


def test_a_program_looks_for_its_data_where_it_is_run(unpacked: Path, ready: Path) -> None:
    before = b"\x7fELF\0/usr/share/thing/data\0/usr/share/thing/data/ui/\0the end"
    (ready / "program").write_bytes(before)
    relocate(DATA, unpacked, ready, "program")
    after = (ready / "program").read_bytes()
    assert len(after) == len(before), "a byte more or less would break it"
    _, first, second, end = after.split(b"\0")
    assert end == b"the end"
    assert (ready / first.decode() / "default.tmpl").read_text() == "a template"
    assert second == first + b"/ui/"


def test_a_program_that_looks_elsewhere_is_not_touched(unpacked: Path, ready: Path) -> None:
    (ready / "program").write_bytes(b"/usr/lib/thing/data")
    with pytest.raises(CannotGetError, match="does not look for its data in /usr/share/thing/data"):
        relocate(DATA, unpacked, ready, "program")
    assert (ready / "program").read_bytes() == b"/usr/lib/thing/data"


APT_GET = """#!/bin/sh
for package; do :; done
touch "$package"_1_amd64.deb
"""
# A package holds one program, of its own name.
DPKG = """#!/bin/sh
name=$(basename "$2" _1_amd64.deb)
mkdir -p "$3"/usr/bin
printf '#!/bin/sh\n' >"$3/usr/bin/$name"
chmod +x "$3/usr/bin/$name"
"""


def test_a_program_that_has_a_package_of_its_own_is_taken_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, script in {"apt-get": APT_GET, "dpkg": DPKG}.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(get_prometheus, "CACHE", tmp_path / "cache")
    place = fetch(PROMETHEUS, Commands(deadline=time.monotonic() + 60))
    assert {path.name for path in place.iterdir()} == {"prometheus", "promtool"}


# What apt-get was told is kept beside the package, to be looked at.
KNOWING_APT_GET = """#!/bin/sh
for word; do case "$word" in Dir::Etc::sourcelist=*) cat "${word#*=}" >>"$LOG";; esac; done
for package; do :; done
[ "$package" = update ] || touch "$package"_1_amd64.deb
"""


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt-get and a dpkg that do no harm; the log of the sources they were given."""
    for name, script in {"apt-get": KNOWING_APT_GET, "dpkg": DPKG}.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setattr(get_prometheus, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(get_prometheus, "KEYRING", tmp_path / "keyring.gpg")
    monkeypatch.setattr(get_prometheus, "SOURCES", (tmp_path / "debian.sources",))
    return tmp_path / "log"


def test_a_newer_one_comes_from_lists_of_its_own_and_lies_beside_the_other(apt: Path) -> None:
    folder = apt.parent
    (folder / "keyring.gpg").touch()
    sources = "Types: deb\nURIs: https://mirror.example/debian\nSuites: bookworm\n"
    (folder / "debian.sources").write_text(sources)
    place = fetch(NEWER_PROMETHEUS, Commands(deadline=time.monotonic() + 60))
    assert place == folder / "cache" / "prometheus-sid"
    assert {path.name for path in place.iterdir()} == {"prometheus", "promtool"}
    assert set(apt.read_text().splitlines()) == {
        f"deb [signed-by={folder}/keyring.gpg] https://mirror.example/debian sid main"
    }
    assert [path.name for path in (folder / "cache").iterdir()] == ["prometheus-sid"]


@pytest.mark.usefixtures("apt")
def test_without_debians_keyring_nothing_of_another_suite_is_taken() -> None:
    with pytest.raises(CannotGetError, match=r"keyring\.gpg is missing: nothing of sid"):
        fetch(NEWER_PROMETHEUS, Commands(deadline=time.monotonic() + 60))


@pytest.mark.parametrize(
    ("line", "mirror"),
    [
        ("URIs: http://one.example/debian", "http://one.example/debian"),
        ("deb [arch=amd64] http://two.example/debian bookworm main", "http://two.example/debian"),
        ("deb http://three.example/debian bookworm main", "http://three.example/debian"),
        ("# deb http://nobody.example/debian bookworm main", get_prometheus.MIRROR),
    ],
)
def test_the_mirror_is_the_one_that_the_machine_uses(apt: Path, line: str, mirror: str) -> None:
    (apt.parent / "debian.sources").write_text(f"{line}\n")
    assert get_prometheus.mirror() == mirror


def test_a_newer_one_is_not_looked_for_on_the_path(apt: Path) -> None:
    for program in ("prometheus", "promtool"):
        (apt.parent / program).write_text("")
        (apt.parent / program).chmod(0o755)
    assert find(PROMETHEUS) == (apt.parent / "prometheus", apt.parent / "promtool")
    assert find(NEWER_PROMETHEUS) is None
