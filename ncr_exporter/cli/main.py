"""The entry point: runs a command and exits.

The exit code is 0 for success, 1 for failure, 2 for wrong usage or configuration.
"""

import os
import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from ncr_exporter import __version__
from ncr_exporter.runtime.startup_signals import (
    end_command_on_signals,
    exit_on_signals,
    note_signals,
    stop_service_on_signals,
)

TYPE_CHECKING = False  # to import it takes longer than all that `run` needs
if TYPE_CHECKING:
    from typing import NoReturn

    from ncr_exporter.cli.flags import Command

COMMANDS = ("serve", "check", "once", "demo", "health")
"""In the order of the help. Each is the name of a module in this package, with `_` for `-`."""
_DEFAULT = "serve"
_SERVICES = ("serve", "demo")
"""Commands that run until stopped; the others run to their end."""


def run() -> "NoReturn":
    """Run the program as a console script, and exit."""
    # What comes before this line takes a few milliseconds, and what is imported after it takes a
    # quarter of a second. Meanwhile the system's actions would end the process on SIGHUP.
    note_signals()
    from ncr_exporter.runtime.environment import ignore_variables_of_others  # noqa: PLC0415 -- see above
    from ncr_exporter.runtime.streams import set_up_streams  # noqa: PLC0415 -- see above

    argv = sys.argv[1:]
    is_service = (_named(argv) or _DEFAULT) in _SERVICES
    act_on_signals = stop_service_on_signals if is_service else end_command_on_signals
    act_on_signals()
    set_up_streams()
    ignore_variables_of_others()
    code = main(argv)
    exit_on_signals(code)
    sys.exit(code)


def main(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run the command in `argv`, by default `serve`, and return the exit code."""
    code = _code_of(lambda: _run(argv, environ))
    flushed = _code_of(_flush)
    return code or flushed


def _run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    from ncr_exporter.cli.flags import parse_flags  # noqa: PLC0415 -- see `run`
    from ncr_exporter.cli.mistyped import unknown_command  # noqa: PLC0415 -- see `run`
    from ncr_exporter.runtime.logs import configure_logs  # noqa: PLC0415 -- see `run`

    name = _named(argv)
    if name and name not in COMMANDS:
        return _refuse(unknown_command(name, COMMANDS))
    if not name and {"-h", "--help"} & set(argv):
        sys.stdout.write(_overview())
    command = command_named(name or _DEFAULT)
    rest = argv[1:] if name else argv
    values = parse_flags(
        name or _DEFAULT, command.summary, command.flags, rest, environ, elsewhere=_elsewhere
    )
    if "--log.level" in values:
        configure_logs(values["--log.level"], values["--log.format"])
        _warn_of_variables(command, values["--log.level"], environ)
    return command.run(values, environ)


def _named(argv: Sequence[str]) -> str:
    """Return the command that `argv` names; empty if it names none."""
    return argv[0] if argv and not argv[0].startswith("-") else ""


def _flush() -> int:
    sys.stdout.flush()
    return 0


def _code_of(step: Callable[[], int]) -> int:
    """Run a part of the program, and return its exit code."""
    from ncr_exporter.runtime.errors import UserError  # noqa: PLC0415 -- see `run`

    try:
        return step()
    except SystemExit as stop:
        return int(stop.code or 0)
    except UserError as error:
        return _refuse(str(error), code=error.exit_code)
    except KeyboardInterrupt:  # where signals are not noted, as in tests
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader of a pipe closed it, as in `once | head`
        return 1


def command_named(name: str) -> "Command":
    """Return a command, and import only its module, so that `serve` starts fast."""
    command: Command = import_module(f"ncr_exporter.cli.{name.replace('-', '_')}").COMMAND
    return command


def _elsewhere() -> dict[str, str]:
    """Return each command and flag with the command that it belongs to."""
    flags = {flag.name: name for name in COMMANDS for flag in command_named(name).flags}
    return flags | {name: name for name in COMMANDS}


def _warn_of_variables(command: "Command", level: str, environ: Mapping[str, str]) -> None:
    """Warn of variables with the program's prefix that no command reads."""
    from ncr_exporter.cli.messages import warn  # noqa: PLC0415 -- see `run`
    from ncr_exporter.cli.mistyped import unknown_variables  # noqa: PLC0415 -- see `run`

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
    from ncr_exporter.cli.messages import complain  # noqa: PLC0415 -- see `run`

    complain(message)
    return code
