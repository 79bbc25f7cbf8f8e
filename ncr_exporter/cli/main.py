"""The entry point: runs a command and exits.

The exit code is 0 for success, 1 for failure, 2 for wrong usage or configuration.
"""

import os
import shutil
import signal
import sys
import textwrap
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from ncr_exporter import __version__
from ncr_exporter.cli.flags import Command, parse_flags
from ncr_exporter.cli.messages import complain, warn
from ncr_exporter.cli.mistyped import unknown_command, unknown_variables
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.logs import configure_logs

COMMANDS = ("serve", "check", "once", "demo", "health")
"""In the order of the help. Each is the name of a module in this package, with `_` for `-`."""


def main(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run the command in `argv`, by default `serve`, and return the exit code."""
    name = argv[0] if argv and not argv[0].startswith("-") else ""
    if name and name not in COMMANDS:
        return _refuse(unknown_command(name, COMMANDS))
    if not name and {"-h", "--help"} & set(argv):
        sys.stdout.write(_overview())
    command = command_named(name or "serve")
    rest = argv[1:] if name else argv
    try:
        values = parse_flags(
            name or "serve", command.summary, command.flags, rest, environ, elsewhere=_elsewhere
        )
        if "--log.level" in values:
            configure_logs(values["--log.level"], values["--log.format"])
            _warn_of_variables(command, values["--log.level"], environ)
        code = command.run(values, environ)
        sys.stdout.flush()
    except SystemExit as stop:
        return int(stop.code or 0)
    except UserError as error:
        return _refuse(str(error), code=error.exit_code)
    except KeyboardInterrupt:  # before the event loop handles the signal
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader of a pipe closed it, as in `once | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def run() -> NoReturn:
    """Run the program as a console script, and exit."""
    sys.exit(main(sys.argv[1:]))


def command_named(name: str) -> Command:
    """Return a command, and import only its module, so that `serve` starts fast."""
    command: Command = import_module(f"ncr_exporter.cli.{name.replace('-', '_')}").COMMAND
    return command


def _elsewhere() -> dict[str, str]:
    """Return each command and flag with the command that it belongs to."""
    flags = {flag.name: name for name in COMMANDS for flag in command_named(name).flags}
    return flags | {name: name for name in COMMANDS}


def _warn_of_variables(command: Command, level: str, environ: Mapping[str, str]) -> None:
    """Warn of variables with the program's prefix that no command reads."""
    known = {flag.env_var for flag in command.flags}
    if not any(unknown_variables(environ, known)):
        return  # without importing the other commands
    import structlog  # noqa: PLC0415 -- `health` logs nothing and is started often

    from ncr_exporter.app.config_source import VARIABLES  # noqa: PLC0415 -- as above

    known |= {flag.env_var for name in COMMANDS for flag in command_named(name).flags}
    for variable, meant in unknown_variables(environ, known | set(VARIABLES)):
        if level == "error":  # as the commands have it that print their failures themselves
            warn(f"the variable {variable} is not read{'; ' if meant else ''}{meant}")
        else:
            log = structlog.get_logger()
            log.warning("variable is not read", variable=variable, remedy=meant or "unset it")


def _overview() -> str:
    width = shutil.get_terminal_size().columns
    rows = (
        textwrap.fill(
            command_named(name).summary,
            width,
            initial_indent=f"  {name:8} ",
            subsequent_indent=" " * 11,
        )
        for name in COMMANDS
    )
    listed = "\n".join(rows)
    return (
        f"ncr-exporter {__version__}: Prometheus exporter for NAVER Cloud Container Registry\n\n"
        f"Commands (default: serve). COMMAND --help shows the flags of a command.\n{listed}\n\n"
    )


def _refuse(message: str, *, code: int = 2) -> int:
    """Print what is wrong to stderr, and return the exit code."""
    complain(message)
    return code
