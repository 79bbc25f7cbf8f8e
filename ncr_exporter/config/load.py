"""Load a configuration file: text → tree of nodes → `Config` → checks between keys."""

import codecs
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

import structlog

from ncr_exporter.config.checks import mistakes
from ncr_exporter.config.files import unreadable
from ncr_exporter.config.likely_mistakes import likely_mistakes
from ncr_exporter.config.model import Config
from ncr_exporter.config.reader import Reader
from ncr_exporter.config.secret import redacted
from ncr_exporter.config.suggestions import followed_by
from ncr_exporter.config.yaml_tree import ConfigError, Mistakes, Node, NodeOf, Problem, read_tree
from ncr_exporter.runtime.timely import read_timely, timely

log = structlog.get_logger()

_LOGGED = 10
"""Warnings that are logged one by one: a file may name thousands of images."""

Inspection = Callable[[Config, Node, NodeOf], Mistakes]
"""Yields further mistakes in a configuration and its node, which may lack the wrong values."""


def load(
    path: str, environ: Mapping[str, str] = os.environ, inspect: Inspection | None = None
) -> Config:
    """Return the configuration in the file at `path`.

    Warns in the log of what is most likely a mistake, and if the file holds a secret and every
    user of the host can read it.

    Args:
        path: the file; relative paths in it start at its directory.
        environ: the variables that `${VAR}` stands for.
        inspect: yields the mistakes that only the system shows, such as a missing API key.

    Raises:
        ConfigError: with all problems, each with file, line, key and what would be right.
    """
    text = read_file(path, "--config.file")
    config = parse(text, path, environ, directory=Path(path).parent, inspect=inspect)
    log_warnings(config)
    if config.holds_secret:
        _warn_where_others_can_read(Path(path))
    return config


def log_warnings(config: Config) -> None:
    """Log what is most likely a mistake in a configuration."""
    for warning in config.warnings[:_LOGGED]:
        place = replace(warning, message="").in_file(config.source)
        log.warning("the configuration may be mistaken", place=place, why=warning.message)
    if len(config.warnings) > _LOGGED:
        more = len(config.warnings) - _LOGGED
        log.warning("the configuration may be mistaken in more places", more=more, remedy="`check`")


def _warn_where_others_can_read(path: Path) -> None:
    try:
        mode = timely(path, path.stat).st_mode
    except OSError:  # gone since it was read; what replaces it is read in its turn
        return
    # The group's right is no reason to warn: Kubernetes mounts secrets for a pod's group.
    if mode & stat.S_IROTH:
        log.warning(
            "configuration holds a secret and is readable by every user of this host",
            file=str(path),
            remedy="chmod o-r, or name a file of its own: secret_key_file",
        )


def read_file(path: str, flag: str, read: Callable[[Path], bytes] = read_timely) -> str:
    """Return the text of a file that the command line names.

    Args:
        path: the file.
        flag: the flag that names it, for the message.
        read: returns the content of a file.

    Raises:
        ConfigError: the file cannot be read, or is not UTF-8.
    """
    try:
        content = read(Path(path))
    except (OSError, ValueError) as error:  # ValueError: no path can hold that
        reason = followed_by(unreadable(Path(path), error), f"name the file with {flag}")
        raise ConfigError(path, [Problem("", f"cannot be read: {reason}")]) from None
    return decoded(content, path)


def decoded(content: bytes, source: str) -> str:
    """Return the text of a file.

    Args:
        content: what the file holds.
        source: its name in the error.

    Raises:
        ConfigError: it is not UTF-8.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ConfigError(source, [Problem("", "is UTF-16 text; save it as UTF-8")]) from None
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(source, [Problem("", "is not UTF-8 text from here on", line)]) from None


def parse(
    text: str,
    source: str,
    environ: Mapping[str, str],
    *,
    directory: Path = Path(),
    inspect: Inspection | None = None,
) -> Config:
    """Return the configuration that `text` holds.

    Args:
        text: the YAML document.
        source: its name in the error, such as the path of its file.
        environ: the variables that `${VAR}` stands for.
        directory: where relative paths in it start.
        inspect: yields the mistakes that only the system shows, such as a missing API key.

    Raises:
        ConfigError: with all problems, in the order of their lines.
    """
    problems: list[Problem] = []
    root = read_tree(text, source, environ, problems.append)
    reader = Reader(problems.append)
    config = reader.section(Config, root)
    if isinstance(config, Config):
        config = replace(config, directory=directory)
        further = inspect(config, root, reader.node_of) if inspect and config.registries else ()
        wrong = chain(mistakes(config, root, reader.node_of), further)
        problems += [node.problem(message) for message, node in wrong]
    if problems or not isinstance(config, Config):
        raise ConfigError(source, _by_line(problems))
    likely = likely_mistakes(config, root, reader.node_of)
    warnings = _by_line(node.problem(message) for message, node in likely)
    return _described(replace(config, source=source, warnings=tuple(warnings)), text)


def _by_line(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.line or 0)


def _described(config: Config, text: str) -> Config:
    """Return a configuration that knows the text it was read from."""
    shown = redacted(text)
    return replace(
        config,
        digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        redacted=shown.text,
        holds_secret=shown.holds_secret,
    )
