"""Command line flags with their environment variables, parsed from one table per command."""

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ncr_exporter import __version__
from ncr_exporter.cli.mistyped import did_you_mean, unknown_arguments
from ncr_exporter.httpd.address import Address
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.logs import FORMATS, LEVELS

_LARGEST_PORT = 65535
_PATH = re.compile(r"/[\w.~-][\w.~/-]*", re.ASCII)


class UsageError(UserError):
    """The flags are invalid or contradict each other; `str()` says how."""


@dataclass(frozen=True)
class Flag:
    """A flag of a command."""

    name: str
    default: str | None
    read: Callable[[str], Any]
    """Text → value; raises ValueError with a message for the user."""
    help: str
    repeatable: bool = False
    switch: bool = False
    """Whether the flag without a value means `true`."""

    @property
    def env_var(self) -> str:
        """The environment variable of the same meaning. Commas separate repeated values."""
        return "NCR_EXPORTER_" + self.name[2:].replace(".", "_").replace("-", "_").upper()


class Values(dict[str, Any]):
    """Name of a flag → its value."""

    given: frozenset[str] = frozenset()
    """The flags that the command line or the environment sets."""


def parse_flags(  # noqa: PLR0913 -- what a command line is read by, the last one by name
    command: str,
    summary: str,
    flags: Sequence[Flag],
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    elsewhere: Callable[[], Mapping[str, str]] = dict,
) -> Values:
    """Return the value of every flag by name: from `argv`, else its variable, else its default.

    `elsewhere` says what other words of the command line belong to, as `unknown_arguments` asks.

    Raises:
        SystemExit: 0 after help or version was printed, 2 if a flag is wrong.
    """
    parser = argparse.ArgumentParser(
        prog=f"ncr-exporter {command}", description=summary, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"ncr-exporter {__version__}")
    for flag in flags:
        parser.add_argument(
            flag.name,
            dest=flag.name,
            action="append" if flag.repeatable else "store",
            nargs="?" if flag.switch else None,
            const="true" if flag.switch else None,
            metavar="VALUE",
            help=_help(flag),
        )
    parsed, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.error(unknown_arguments(unknown, [flag.name for flag in flags], elsewhere()))
    given = vars(parsed)
    values = Values(
        {flag.name: _value(flag, given[flag.name], environ, parser.error) for flag in flags}
    )
    values.given = frozenset(
        flag.name for flag in flags if given[flag.name] is not None or environ.get(flag.env_var)
    )
    return values


def _value(
    flag: Flag,
    given: str | list[str] | None,
    environ: Mapping[str, str],
    refuse: Callable[[str], object],
) -> Any:  # noqa: ANN401 -- of the type that the flag's `read` returns
    source, text = flag.name, given
    if text is None and environ.get(flag.env_var):  # an empty variable counts as unset
        source, text = flag.env_var, environ[flag.env_var]
    if text is None:
        text = flag.default
    if text is None:
        return None
    try:
        if flag.repeatable:
            texts = text if isinstance(text, list) else text.split(",")
            return tuple(flag.read(item.strip()) for item in texts)
        return flag.read(str(text))
    except ValueError as error:
        return refuse(f"{source}: {error}")


def _help(flag: Flag) -> str:
    default = "" if flag.default is None else f", default {flag.default}"
    repeatable = "; may be repeated" if flag.repeatable else ""
    return f"{flag.help}{repeatable} (${flag.env_var}{default})".replace("%", "%%")


def address(text: str) -> Address:
    """Return the address in `:10627`, `127.0.0.1:10627` or `[::1]:10627`.

    Raises:
        ValueError: the text is no address.
    """
    host, colon, port = text.rpartition(":")
    inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or (":" in inner and inner == host) or not (port.isascii() and port.isdigit()):
        raise ValueError(
            f"{text!r} is not an address; write :10627, 127.0.0.1:10627 or [::1]:10627"
        )
    if int(port) > _LARGEST_PORT:
        raise ValueError(f"{port} is not a port; the largest is {_LARGEST_PORT}")
    return Address(inner or None, int(port))


def boolean(text: str) -> bool:
    """Return the value of `true` or `false`.

    Raises:
        ValueError: the text is neither.
    """
    if text not in {"true", "false"}:
        raise ValueError(f"must be true or false, not {text!r}")
    return text == "true"


def choice(words: Iterable[str]) -> Callable[[str], str]:
    """Return a function that accepts one of these words, and raises ValueError for others."""
    known = tuple(words)

    def read(text: str) -> str:
        if text not in known:
            similar = did_you_mean(text, known)
            raise ValueError(f"must be one of {', '.join(known)}, not {text!r}{similar}")
        return text

    return read


def path_or_stdin(text: str) -> str:
    """Return the path of a file, or `-` for stdin.

    Raises:
        ValueError: the text is empty.
    """
    if not text:
        raise ValueError("must be the path of a file, or - for stdin, not empty")
    return text


def positive(text: str) -> int:
    """Return a whole number above 0.

    Raises:
        ValueError: the text is no such number, or has more than nine digits.
    """
    if not (text.isascii() and text.isdigit()) or not 0 < len(text) < 10 or int(text) == 0:  # noqa: PLR2004 -- nine digits fit everywhere
        raise ValueError(f"must be a whole number above 0, not {text!r}")
    return int(text)


def url_path(text: str) -> str:
    """Return a URL path such as `/metrics`.

    Raises:
        ValueError: the text is no path, or begins with the reserved `/-/`.
    """
    if not _PATH.fullmatch(text) or text.startswith("/-/"):
        raise ValueError(f"must be a path such as /metrics, not {text!r}")
    return text


CONFIG_FILE = Flag(
    "--config.file",
    "ncr-exporter.yml",
    path_or_stdin,
    "path of the configuration file, or - for stdin; if neither this is set nor the default is "
    "there, the environment alone is used",
)
STORAGE_PATH = Flag(
    "--storage.path",
    None,
    Path,
    "directory that keeps the last good data over a restart; unset, nothing is kept",
)
LOG_FLAGS = (
    Flag("--log.level", "info", choice(LEVELS), "debug, info, warn or error"),
    Flag("--log.format", "logfmt", choice(FORMATS), "logfmt or json"),
)
QUIET_LOG_FLAGS = (
    Flag("--log.level", "error", choice(LEVELS), "debug, info, warn or error"),
    LOG_FLAGS[1],
)
"""For commands that print failures themselves, so that the log need not repeat them."""


@dataclass(frozen=True)
class Command:
    """A command of the program: the constant `COMMAND` of each command's module."""

    summary: str
    """One sentence for the help."""
    flags: Sequence[Flag]
    run: Callable[[Values, Mapping[str, str]], int]
    """Values of the flags and the environment → exit code."""
