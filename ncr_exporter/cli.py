"""Arguments → a command → an exit code: 0 clean stop, 1 failure, 2 wrong usage or configuration."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ncr_exporter import __version__
from ncr_exporter.app import ListenError, ServeOptions, serve
from ncr_exporter.config import ConfigError, load
from ncr_exporter.flags import Flag, address, choice, parse_flags, positive, url_path
from ncr_exporter.logs import FORMATS, LEVELS, configure_logs
from ncr_exporter.ncr.credentials import CredentialsError
from ncr_exporter.shard import ShardError, chosen_shard

Values = Mapping[str, Any]

LOG_FLAGS = (
    Flag("--log.level", "info", choice(LEVELS), "debug, info, warn or error"),
    Flag("--log.format", "logfmt", choice(FORMATS), "logfmt or json"),
)
SERVE_FLAGS = (
    Flag("--config.file", "ncr-exporter.yml", str, "the configuration file"),
    Flag(
        "--web.listen-address",
        ":10627",
        address,
        "address to listen on, as :10627, 127.0.0.1:10627 or [::1]:10627",
        repeatable=True,
    ),
    Flag("--web.telemetry-path", "/metrics", url_path, "path of the metrics"),
    Flag("--web.max-requests", "8", positive, "requests served at a time; further ones get 503"),
    Flag("--shard", None, str, "which shard this is, from 0; auto takes a StatefulSet's ordinal"),
    Flag("--total-shards", "1", positive, "exporters that share the images"),
    *LOG_FLAGS,
)
DEMO_FLAGS = (
    Flag("--tags", None, str, "a JSON array of tags in NCR's shape to serve instead"),
    Flag("--fault", None, str, "let every answer of the simulated registry go wrong this way"),
    Flag("--web.listen-address", "127.0.0.1:10627", address, "as for serve", repeatable=True),
    *LOG_FLAGS,
)


@dataclass(frozen=True)
class Command:
    """One of the program's commands."""

    summary: str
    flags: Sequence[Flag]
    run: Callable[[Values, Mapping[str, str]], int]


def main(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run the command that `argv` names (serve where it names none) and return the exit code."""
    name = argv[0] if argv and not argv[0].startswith("-") else ""
    if name and name not in COMMANDS:
        return _refuse(f"unknown command {name!r}; known are {', '.join(COMMANDS)}")
    if not name and {"-h", "--help"} & set(argv):
        sys.stdout.write(_overview())
    command = COMMANDS[name or "serve"]
    rest = argv[1:] if name else argv
    try:
        values = parse_flags(name or "serve", command.summary, command.flags, rest, environ)
        configure_logs(values["--log.level"], values["--log.format"])
        return command.run(values, environ)
    except SystemExit as stop:
        return int(stop.code or 0)
    except (ConfigError, CredentialsError, ShardError) as error:
        return _refuse(str(error))
    except ListenError as error:
        return _refuse(str(error), code=1)
    except KeyboardInterrupt:  # before the event loop took the signal over
        return 0


def run() -> NoReturn:
    """Be the console script."""
    sys.exit(main(sys.argv[1:]))


def _serve(values: Values, environ: Mapping[str, str]) -> int:
    config = load(values["--config.file"], environ)
    return asyncio.run(serve(config, _options(values, environ), environ=environ))


def _demo(values: Values, _: Mapping[str, str]) -> int:
    from ncr_exporter.demo.run import demo, simulated  # noqa: PLC0415 -- only the demo pays for it

    try:
        registry, source = simulated(values["--tags"], values["--fault"])
    except ValueError as error:
        return _refuse(str(error))
    return asyncio.run(demo(registry, source, values["--web.listen-address"]))


def _options(values: Values, environ: Mapping[str, str]) -> ServeOptions:
    return ServeOptions(
        listen=values["--web.listen-address"],
        telemetry_path=values["--web.telemetry-path"],
        max_requests=values["--web.max-requests"],
        shard=chosen_shard(values["--shard"], values["--total-shards"], environ),
    )


def _overview() -> str:
    rows = "".join(f"  {name:8} {command.summary}\n" for name, command in COMMANDS.items())
    return (
        f"ncr-exporter {__version__}: Prometheus exporter for NAVER Cloud Container Registry\n\n"
        f"commands (serve where none is named; COMMAND --help shows its flags):\n{rows}\n"
    )


def _refuse(message: str, *, code: int = 2) -> int:
    """Say what is wrong, for people, and return the exit code."""
    for line in message.splitlines():
        sys.stderr.write(f"ncr-exporter: {line}\n")
    return code


COMMANDS = {
    "serve": Command("poll the API and publish /metrics until stopped", SERVE_FLAGS, _serve),
    "demo": Command("the whole program against a simulated registry", DEMO_FLAGS, _demo),
}
