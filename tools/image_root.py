#!/usr/bin/env python3
"""Gather what the program needs of an image into a root of its own: no shell, no pip, no apt.

`image_root.py ENVIRONMENT ROOT`, run by the Dockerfile with the environment's Python. It takes that
environment, the standard library less what no exporter imports, the interpreter, the shared
libraries that these name, and the few files of /etc that libc reads. Scanners find the Debian
packages that the libraries come from in `var/lib/dpkg/status.d`.
"""

import compileall
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

USER = "nonroot:x:65532:65532:ncr-exporter:/:/sbin/nologin\n"
GROUP = "nonroot:x:65532:\n"
ETC = ("os-release", "nsswitch.conf", "ld.so.cache", "ssl/openssl.cnf")
NOT_NEEDED = shutil.ignore_patterns(
    *("__pycache__", "*.a", "site-packages", "dist-packages", "config-*", "pydoc_data"),
    *("test", "idlelib", "tkinter", "_tkinter*", "turtle*", "ensurepip", "venv", "lib2to3"),
)
LIBRARY = re.compile(r"\s*(?:\S+ => )?(/\S+) \(0x")


def main(environment: Path, root: Path) -> None:
    """Fill `root`, bytecode and all."""
    gather(environment, root)
    for tree in (environment, standard_library()):
        compile_tree(inside(root, tree), tree)


def gather(environment: Path, root: Path) -> None:
    """Copy everything to its place in `root`."""
    merge_folders(root)
    shutil.copytree(environment, inside(root, environment), symlinks=True)
    standard = standard_library()
    shutil.copytree(standard, inside(root, standard), symlinks=True, ignore=NOT_NEEDED)
    files = set(chain(environment / "bin" / "python"))
    files |= set(libraries([*files, *root.rglob("*.so"), *root.rglob("*.so.*")]))
    files |= {file for name in ETC for file in chain(Path("/etc", name))}
    for file in sorted(files):
        take(file, root)
    write(root / "etc" / "passwd", USER)
    write(root / "etc" / "group", GROUP)
    for name, record in packages(files):
        write(root / "var" / "lib" / "dpkg" / "status.d" / name, record)


def standard_library() -> Path:
    """Return where Python's own modules are."""
    return Path(sysconfig.get_path("stdlib")).resolve()


def merge_folders(root: Path) -> None:
    """Make /lib a link to usr/lib, and so on, where the image has them so."""
    root.mkdir(parents=True)
    for name in ("lib", "lib64"):
        if (folder := Path("/", name)).is_symlink():
            (root / folder.readlink()).mkdir(parents=True)
            (root / name).symlink_to(folder.readlink())


def inside(root: Path, path: Path) -> Path:
    """Return the place of an absolute path in `root`."""
    return root / path.relative_to("/")


def chain(path: Path) -> Iterator[Path]:
    """Yield a path and, while it is a symbolic link, what it points to."""
    if not path.exists():
        return
    yield path
    while path.is_symlink():
        path = Path(os.path.normpath(path.parent / path.readlink()))
        yield path


def libraries(binaries: Iterable[Path]) -> Iterator[Path]:
    """Yield the shared libraries that these load, as the loader finds them, and their links."""
    for line in asked("ldd", *map(str, binaries)):
        if found := LIBRARY.match(line):
            yield from chain(Path(found[1]))


def take(file: Path, root: Path) -> None:
    """Copy one file, or link, to its place; the folders above it may be links to others."""
    place = inside(root, file)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(place):
        shutil.copy2(file, place, follow_symlinks=False)


def write(file: Path, text: str) -> None:
    """Write one file of ours."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def packages(files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Yield the name and dpkg's record of each Debian package that a file is from."""
    if shutil.which("dpkg-query") is None:
        return
    # Where /lib is a link to usr/lib, a package may have its file recorded under either.
    paths = {place for file in files for place in (file, Path("/usr", file.relative_to("/")))}
    found = asked("dpkg-query", "--search", *map(str, sorted(paths)))
    owners = [line.partition(": /")[0] for line in found if not line.startswith("diversion ")]
    for name in sorted({name for owner in owners for name in owner.split(", ")}):
        yield name.partition(":")[0], "\n".join(asked("dpkg-query", "--status", name)) + "\n"


def asked(*command: str) -> list[str]:
    """Return the lines that a command prints, also where it finds some of them only."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- no shell
    return done.stdout.splitlines()


def compile_tree(tree: Path, name: Path) -> None:
    """Make the bytecode that a read-only root could not keep.

    Two builds of one commit write the same bytes: by hash and unchecked, not by time; and in one
    process, since what it compiled before (which names it has seen) shows in a file's bytes.
    """
    mode = PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(
        tree, quiet=2, stripdir=tree, prependdir=name, invalidation_mode=mode, workers=1
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
