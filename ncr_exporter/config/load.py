"""Load a configuration file: text → tree of nodes → `Config` → checks between keys."""

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import structlog

from ncr_exporter.config.checks import check
from ncr_exporter.config.model import Config
from ncr_exporter.config.reader import Reader
from ncr_exporter.config.secret import redacted
from ncr_exporter.config.yaml_tree import ConfigError, Problem, read_tree

log = structlog.get_logger()


def load(path: str, environ: Mapping[str, str] = os.environ) -> Config:
    """Return the configuration in the file at `path`.

    Warns in the log if the file holds a secret and every user of the host can read it.

    Args:
        path: the file; relative paths in it start at its directory.
        environ: the variables that `${VAR}` stands for.

    Raises:
        ConfigError: with all problems, each with file, line, key and what would be right.
    """
    text = read_file(path, "--config.file")
    config = parse(text, path, environ)
    if config.holds_secret:
        _warn_where_others_can_read(Path(path))
    return replace(config, directory=Path(path).parent)


def _warn_where_others_can_read(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # it is gone since it was read
    # The group's right is no reason to warn: Kubernetes mounts secrets for a pod's group.
    if mode & stat.S_IROTH:
        log.warning(
            "configuration holds a secret and is readable by every user of this host",
            file=str(path),
            remedy="chmod o-r, or name a file of its own: secret_key_file",
        )


def read_file(path: str, flag: str, read: Callable[[Path], bytes] = Path.read_bytes) -> str:
    """Return the text of a file that the command line names.

    Args:
        path: the file.
        flag: the flag that names it, for the message.
        read: returns the content of a file.

    Raises:
        ConfigError: the file cannot be read, or is not UTF-8.
    """
    try:
        return read(Path(path)).decode()
    except UnicodeDecodeError:
        raise ConfigError(path, [Problem("", "is not UTF-8 text")]) from None
    except (OSError, ValueError) as error:  # ValueError: no path can hold that
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        message = f"cannot be read: {reason}; name the file with {flag}"
        raise ConfigError(path, [Problem("", message)]) from None


def parse(text: str, source: str, environ: Mapping[str, str]) -> Config:
    """Return the configuration that `text` holds.

    Args:
        text: the YAML document.
        source: its name in the error, such as the path of its file.
        environ: the variables that `${VAR}` stands for.

    Raises:
        ConfigError: with all problems, in the order of their lines.
    """
    problems: list[Problem] = []
    root = read_tree(text, source, environ, problems.append)
    config = Reader(problems.append).section(Config, root)
    if isinstance(config, Config):
        check(config, root, problems.append)
        if not problems:
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            shown = redacted(text)
            return replace(
                config, digest=digest, redacted=shown.text, holds_secret=shown.holds_secret
            )
    raise ConfigError(source, sorted(problems, key=lambda problem: problem.line or 0))
