"""Arguments → a command → an exit code: 0 clean stop, 1 failure, 2 wrong usage or configuration."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from ncr_exporter import __version__
from ncr_exporter.cli.flags import Command, parse_flags
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.logs import configure_logs

COMMANDS = ("serve", "check", "once", "demo", "health")
"""In the order of the help; each is the module of its name in this package."""


def main(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run the command that `argv` names (serve where it names none) and return the exit code."""
    name = argv[0] if argv and not argv[0].startswith("-") else ""
    if name and name not in COMMANDS:
        return _refuse(f"unknown command {name!r}; known are {', '.join(COMMANDS)}")
    if not name and {"-h", "--help"} & set(argv):
        sys.stdout.write(_overview())
    command = command_named(name or "serve")
    rest = argv[1:] if name else argv
    try:
        values = parse_flags(name or "serve", command.summary, command.flags, rest, environ)
        if "--log.level" in values:
            configure_logs(values["--log.level"], values["--log.format"])
        code = command.run(values, environ)
        sys.stdout.flush()
    except SystemExit as stop:
        return int(stop.code or 0)
    except UserError as error:
        return _refuse(str(error), code=error.exit_code)
    except KeyboardInterrupt:  # before the event loop took the signal over
        return 128 + signal.SIGINT
    except BrokenPipeError:  # who reads our output has enough of it: `once | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def run() -> NoReturn:
    """Be the console script."""
    sys.exit(main(sys.argv[1:]))


def command_named(name: str) -> Command:
    """Return one of `COMMANDS`; only what runs is imported: `serve` pays for no other."""
    command: Command = import_module(f"ncr_exporter.cli.{name}").COMMAND
    return command


def _overview() -> str:
    rows = "".join(f"  {name:8} {command_named(name).summary}\n" for name in COMMANDS)
    return (
        f"ncr-exporter {__version__}: Prometheus exporter for NAVER Cloud Container Registry\n\n"
        f"commands (serve where none is named; COMMAND --help shows its flags):\n{rows}\n"
    )


def _refuse(message: str, *, code: int = 2) -> int:
    """Say what is wrong, for people, and return the exit code."""
    for line in message.splitlines():
        sys.stderr.write(f"ncr-exporter: {line}\n")
    return code
