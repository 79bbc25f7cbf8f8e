"""Why a file cannot be read, in words: what is there instead, and who must be let in."""

import grp
import os
import pwd
import stat
from pathlib import Path

from ncr_exporter.config.suggestions import nearest

_LONGEST_LISTING = 1000
"""Names of a directory that are compared with the one that is not there."""


def unreadable(path: Path, error: OSError | ValueError) -> str:
    """Return why a file cannot be read, with a remedy where one is known.

    Args:
        path: the file.
        error: what reading it raised; a ValueError if no file can have such a path.
    """
    if isinstance(error, FileNotFoundError):
        return f"no such file{_instead(path)}"
    if isinstance(error, IsADirectoryError):
        inside = _one_inside(path)
        return f"it is a directory; name the file in it{f', such as {inside}' if inside else ''}"
    if isinstance(error, PermissionError):
        return _denied(path)
    return (error.strerror or str(error)) if isinstance(error, OSError) else "no such path"


def similar_yaml(path: Path) -> Path | None:
    """Return the YAML file beside `path` whose name is nearly the same, or None."""
    names = [name for name in _names(path.parent) if name.endswith((".yml", ".yaml"))]
    similar = nearest(path.name, names, least=0.8)
    return path.with_name(similar) if similar else None


def _instead(path: Path) -> str:
    if path.parts[:1] == ("~",) or "~" in path.parts:
        return "; ~ is not expanded: write the whole path, or ${HOME}"
    if not path.parent.is_dir():
        return f"; there is no directory {path.parent}"
    similar = nearest(path.name, _names(path.parent))
    return f"; did you mean {path.with_name(similar)}?" if similar else ""


def _names(directory: Path) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries if entry.is_file()]
    except OSError:
        return []
    return sorted(names)[:_LONGEST_LISTING]


def _one_inside(directory: Path) -> Path | None:
    """Return the file of a directory that is most likely meant: the only one, or a YAML file."""
    names = [name for name in _names(directory) if not name.startswith(".")]
    yaml = [name for name in names if name.endswith((".yml", ".yaml"))]
    found = next((each for each in (names, yaml) if len(each) == 1), [])
    return directory / found[0] if found else None


def _denied(path: Path) -> str:
    """Return which user may not read a file, and who must be let in where."""
    user = _user(os.geteuid())
    for directory in reversed(path.absolute().parents):
        if not os.access(directory, os.X_OK):
            return f"{user} may not enter {directory}{_rights(directory)}; chmod o+x lets them in"
    remedy = f"make {user} the owner, or chmod g+r and add them to the group"
    return f"{user} may not read it{_rights(path)}; {remedy}"


def _rights(path: Path) -> str:
    """Return the owner, group and mode of a file, or an empty text where they are not shown."""
    try:
        found = path.stat()
    except OSError:
        return ""
    mode = stat.S_IMODE(found.st_mode)
    return f" (owner {_name_of(found.st_uid)}, group {_group(found.st_gid)}, mode {mode:04o})"


def _user(uid: int) -> str:
    return f"user {_name_of(uid)}"


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
