"""The program that is given another place to look for its data."""

from pathlib import Path

import pytest

from tools.get_prometheus import relocate
from tools.getting import CannotGetError

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
