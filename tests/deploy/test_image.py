"""The image, as far as it can be judged without building it: `make check-image` does that."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ncr_exporter import __version__
from tests.support import deployed
from tests.support.deployed import DEPLOY, PORT, ROOT
from tools import image_root

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} +(.*)$", DOCKERFILE, re.MULTILINE)


def test_hadolint_finds_no_fault() -> None:
    assert deployed.run("hadolint", "--no-color", str(ROOT / "Dockerfile")) == ""


def test_it_starts_the_program_without_a_shell_as_a_user_with_a_number() -> None:
    assert instructions("ENTRYPOINT") == ['["ncr-exporter"]']
    (health,) = instructions("HEALTHCHECK")
    assert health.endswith('CMD ["ncr-exporter", "health"]')
    deployed.check_arguments(["health"])
    assert instructions("USER") == [image_root.USER.split(":")[2] + ":65532"]
    assert instructions("EXPOSE") == [str(PORT)]
    assert instructions("FROM")[-1] == "scratch"


def test_the_manual_names_the_image_of_this_version() -> None:
    manual = (DEPLOY / "README.md").read_text()
    assert set(re.findall(r"(?:ncr-exporter:|newTag: )([\d.]+)", manual)) == {__version__}


def test_every_package_comes_from_a_lock_with_hashes() -> None:
    installs = re.findall(r"pip .*?install .*?(?= && |$)", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 3
    locked, program = installs[:2], installs[2]
    assert all("--require-hashes --only-binary :all:" in " ".join(x.split()) for x in locked)
    assert "--no-deps --no-index" in program


def test_the_context_holds_what_is_copied_and_little_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().split()
    assert "*" in lines
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / name).exists() for name in let_in)
    copied = {
        word
        for line in instructions("COPY")
        if not line.startswith("--from")
        for word in line.split()[:-1]
    }
    assert copied == let_in


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root gathered from the Python that runs the tests, for an environment that is empty."""
    folder = tmp_path_factory.mktemp("image")
    environment, root = folder / "environment", folder / "root"
    command = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
    subprocess.run(command, check=True, timeout=60)  # noqa: S603 -- fixed words, no shell
    image_root.gather(environment, root)
    return root


def test_the_root_holds_python_and_what_it_loads(root: Path) -> None:
    interpreter = image_root.inside(root, Path(sys.executable).resolve())
    assert interpreter.is_file()
    assert list(root.rglob("libc.so.6"))
    (module,) = root.rglob("asyncio/base_events.py")
    assert module.stat().st_size > 0
    if Path("/lib64").is_symlink():
        assert (root / "lib64").is_symlink()
        assert list((root / "lib64").glob("ld-linux-*")), "or nothing starts"


@pytest.mark.parametrize("name", ["sh", "bash", "apt", "ldd", "pip", "ensurepip", "test"])
def test_the_root_holds_nothing_to_work_with(root: Path, name: str) -> None:
    assert list(root.rglob(name)) == []


def test_the_root_names_the_packages_that_its_libraries_are_from(root: Path) -> None:
    records = {file.name: file.read_text() for file in root.glob("var/lib/dpkg/status.d/*")}
    if Path("/var/lib/dpkg/status").exists():
        assert "\nVersion: " in records["libc6"]
    else:
        assert records == {}


def test_the_root_knows_its_user(root: Path) -> None:
    assert (root / "etc" / "passwd").read_text().startswith("nonroot:x:65532:65532:")


def test_bytecode_is_made_that_no_time_stamp_can_spoil(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("X = 1\n")
    image_root.compile_tree(tmp_path, Path("/opt/somewhere"))
    (compiled,) = tmp_path.rglob("*.pyc")
    content = compiled.read_bytes()
    assert content[4:8] == b"\x01\0\0\0", "by hash, never checked"
    assert b"/opt/somewhere/module.py" in content
    assert str(tmp_path).encode() not in content
