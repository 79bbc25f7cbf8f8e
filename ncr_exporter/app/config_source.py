"""Where the configuration comes from: a file, stdin, or the environment alone."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog
import yaml

from ncr_exporter.app.inspection import inspection
from ncr_exporter.config import Config, ConfigError, CredentialsConfig, Problem, load, parse
from ncr_exporter.config.files import similar_yaml
from ncr_exporter.config.globs import EVERY
from ncr_exporter.config.load import Inspection, decoded, log_warnings
from ncr_exporter.ncr.credentials import find_credentials
from ncr_exporter.ncr.keys import CredentialsError
from ncr_exporter.runtime.errors import UserError

STDIN = "-"
"""In place of a path."""
ENVIRONMENT = "environment"
"""The source of a configuration without a file."""

REGISTRIES_VARIABLE = "NCR_EXPORTER_REGISTRIES"
REGION_VARIABLE = "NCR_EXPORTER_REGION"
"""What to poll without a file: names separated by commas, and their region."""
VARIABLES = (REGISTRIES_VARIABLE, REGION_VARIABLE)

_IGNORED = "is ignored: the configuration says what to poll"

log = structlog.get_logger()


@dataclass
class ConfigSource:
    """What the command line says of the configuration."""

    path: str
    """The path of the file, or `-` for stdin."""
    environ: Mapping[str, str]
    """The environment's variables."""
    is_given: bool = True
    """Whether a flag or variable names the file. If not, the environment alone may be enough."""
    with_credentials: bool = True
    """Whether unusable API keys are mistakes of the configuration."""
    _had_file: bool = field(default=False, init=False)
    """Whether a file was read before: one that is gone is a mistake then, and no wish to do
    without, which a reload would answer by polling every registry of the account."""

    @property
    def is_stdin(self) -> bool:
        """Whether the configuration is read from stdin, which is possible once."""
        return self.path == STDIN

    def read(self) -> Config:
        """Return the configuration, and log what is most likely a mistake in it.

        Raises:
            ConfigError: it cannot be used; with all problems.
        """
        if self.is_stdin:
            return self._from_stdin()
        if self.is_given or self._had_file or self._is_there():
            self._had_file = True
            return self._without_variables(load(self.path, self.environ, self._inspection))
        return self._from_environment()

    def read_again(self) -> Config:
        """Return the configuration as it is now, for a reload.

        Raises:
            UserError: it cannot be used, or came from stdin.
        """
        if self.is_stdin:
            raise UserError(
                "the configuration came from stdin, which cannot be read again; restart the "
                "exporter to change it, or name a file with --config.file"
            )
        return self.read()

    @property
    def _inspection(self) -> Inspection:
        return inspection(self.environ, with_credentials=self.with_credentials)

    def _is_there(self) -> bool:
        try:
            Path(self.path).stat()
        except FileNotFoundError:
            return False
        except (OSError, ValueError):
            return True  # and reading it says what is wrong with it
        return True

    def _from_stdin(self) -> Config:
        text = decoded(sys.stdin.buffer.read(), "stdin")
        config = parse(text, "stdin", self.environ, inspect=self._inspection)
        log_warnings(config)
        return self._without_variables(config)

    def _without_variables(self, config: Config) -> Config:
        """Return a configuration that was written, with warnings on variables it overrules."""
        ignored = [name for name in VARIABLES if self.environ.get(name)]
        for name in ignored:
            log.warning("variable is ignored", variable=name, why="the configuration decides")
        messages = [Problem(name, _IGNORED) for name in ignored]
        return replace(config, warnings=(*config.warnings, *messages))

    def _from_environment(self) -> Config:
        """Return the configuration that the environment alone stands for.

        Raises:
            ConfigError: a file of a similar name is there, or no API key is.
        """
        if similar := similar_yaml(Path(self.path)):
            message = f"no such file, but there is {similar}; name it with --config.file={similar}"
            raise ConfigError(self.path, [Problem("", message)])
        if self.with_credentials:
            self._require_key()
        names, region = self._registries(), self.environ.get(REGION_VARIABLE) or "kr"
        entries = [{"name": _verbatim(name), "region": _verbatim(region)} for name in names]
        try:
            config = parse(yaml.safe_dump({"registries": entries}), ENVIRONMENT, self.environ)
        except ConfigError as error:
            raise ConfigError("", map(_of_variable, error.problems)) from None
        log.info(
            "no configuration file: the environment alone says what to poll",
            registries=",".join(names),
            region=region,
            file=f"{self.path} would take its place",
        )
        return config

    def _registries(self) -> list[str]:
        """Return the registries that the environment names; every one if it names none.

        Raises:
            ConfigError: the variable is set and holds no name.
        """
        text = self.environ.get(REGISTRIES_VARIABLE)
        if not text:
            return [EVERY]
        names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
        if not names:
            raise ConfigError("", [Problem(REGISTRIES_VARIABLE, "holds no name of a registry")])
        return names

    def _require_key(self) -> None:
        try:
            find_credentials(CredentialsConfig(), Path(), self.environ)
        except CredentialsError as error:
            needed = str(error).removeprefix("no API key: ")
            raise UserError(
                f"{self.path}: no such file; name the file with --config.file\n"
                f"or go without a file, which needs an API key: {needed}"
            ) from None


def _verbatim(text: str) -> str:
    return text.replace("$", "$$")


def _of_variable(problem: Problem) -> Problem:
    """Return a problem of the configuration made from variables as that of the variable."""
    is_region = problem.place.endswith("region")
    return Problem(REGION_VARIABLE if is_region else REGISTRIES_VARIABLE, problem.message)
