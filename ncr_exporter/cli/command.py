"""The program's commands: a module each, imported only when it is the one to run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ncr_exporter.cli.flags import Flag, choice
from ncr_exporter.runtime.logs import FORMATS, LEVELS

Values = Mapping[str, Any]
"""Flag → its value, read."""

CONFIG_FILE = Flag("--config.file", "ncr-exporter.yml", str, "the configuration file")
LOG_FLAGS = (
    Flag("--log.level", "info", choice(LEVELS), "debug, info, warn or error"),
    Flag("--log.format", "logfmt", choice(FORMATS), "logfmt or json"),
)
QUIET_LOG_FLAGS = (
    Flag("--log.level", "error", choice(LEVELS), "debug, info, warn or error"),
    LOG_FLAGS[1],
)
"""For commands that say in their own words what failed."""


@dataclass(frozen=True)
class Command:
    """One of the program's commands; each module here has one, as `COMMAND`."""

    summary: str
    flags: Sequence[Flag]
    run: Callable[[Values, Mapping[str, str]], int]
    """The flags' values and the environment → the exit code."""
