"""`ncr-exporter check`: validates the configuration and prints the plan of requests."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ncr_exporter.app.config_source import ENVIRONMENT, ConfigSource
from ncr_exporter.cli.flags import (
    CONFIG_FILE,
    QUIET_LOG_FLAGS,
    Command,
    Flag,
    UsageError,
    Values,
    boolean,
)
from ncr_exporter.config import Config
from ncr_exporter.ncr.credentials import find_credentials
from ncr_exporter.runtime.memory import give_back_large_blocks
from ncr_exporter.runtime.signals import run_until_interrupted
from ncr_exporter.targets.plan import plan_of
from ncr_exporter.targets.targets import Account, RegistryListTarget, registry_list_targets

if TYPE_CHECKING:
    from ncr_exporter.recording.recorder import Recorder


def config_source(values: Values, environ: Mapping[str, str]) -> ConfigSource:
    """Return where the flags of a command say that the configuration is."""
    return ConfigSource(
        values["--config.file"],
        environ,
        is_given="--config.file" in values.given,
        with_credentials=not values.get("--file-only", False),
    )


def check(source: ConfigSource) -> Config:
    """Validate a configuration offline, print its plan, and return it.

    Raises:
        UserError: the configuration cannot be used.
    """
    config = source.read()
    wanted = registry_list_targets(config)
    sources = (
        _sources(config, wanted, source.environ)
        if source.with_credentials
        else dict.fromkeys((each.account for each in wanted), "a place that was not looked at")
    )
    plan = plan_of(config, wanted, sources)
    mistakes = [problem.in_file(config.source) for problem in config.warnings]
    _print(plan.lines, [*mistakes, *plan.warnings], _verdict(source, config))
    return config


def _print(plan: Iterable[str], warnings: Sequence[str], verdict: str) -> None:
    from ncr_exporter.report.terminal import Terminal, prose  # noqa: PLC0415 -- see _online

    width = Terminal(sys.stdout).width
    fitted = [line for text in plan for line in _fitted(text, width)]
    told = [line for text in warnings for line in prose(f"warning: {text}", width, hanging="  ")]
    for lines in filter(None, (fitted, told)):
        sys.stdout.write("".join(f"{line}\n" for line in (*lines, "")))
    sys.stdout.write(f"{verdict}\n")
    sys.stdout.flush()


def _fitted(line: str, width: int | None) -> Iterable[str]:
    """Return a line of the plan, broken if it is too long; its columns stay."""
    from ncr_exporter.report.terminal import prose  # noqa: PLC0415 -- see _online

    if width is None or len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return prose(line.lstrip(), width, indent=indent, hanging=f"{indent}  ")


def _verdict(source: ConfigSource, config: Config) -> str:
    if config.source == ENVIRONMENT:
        return f"There is no {source.path}: the environment alone says what to poll."
    warnings = len(config.warnings)
    more = f", with {warnings} warning{'' if warnings == 1 else 's'}" if warnings else ""
    return f"{config.source} is valid{more}"


def _sources(
    config: Config, wanted: Iterable[RegistryListTarget], environ: Mapping[str, str]
) -> dict[Account, str]:
    """Return the source of each account's API key."""
    accounts = dict.fromkeys(target.account for target in wanted)
    found = (
        (account, find_credentials(account.credentials, config.directory, environ))
        for account in accounts
    )
    return {account: credentials.source for account, credentials in found}


def _run(values: Values, environ: Mapping[str, str]) -> int:
    for flag in ("--record", "--findings"):
        if values[flag] and not values["--online"]:
            raise UsageError(f"{flag} needs --online")
    with_credentials = not values["--file-only"]
    if values["--online"] and not with_credentials:
        raise UsageError("--online needs the API key, and --file-only looks for none")
    config = check(config_source(values, environ))
    return _online(config, values, environ) if values["--online"] else 0


def _online(config: Config, values: Values, environ: Mapping[str, str]) -> int:
    # `serve` imports this module, and must not pay for what only an online check needs.
    from ncr_exporter.check_online.run import check_online  # noqa: PLC0415 -- see above
    from ncr_exporter.report.terminal import Terminal  # noqa: PLC0415 -- see above

    give_back_large_blocks()
    sys.stdout.write("\n")
    work = check_online(
        config,
        environ,
        Terminal(sys.stdout),
        recorder=_recorder(config, values),
        with_findings=values["--findings"],
        with_progress=values["--log.level"] == "error",
    )
    return run_until_interrupted(work)


def _recorder(config: Config, values: Values) -> "Recorder | None":
    from ncr_exporter.recording.recorder import Recorder  # noqa: PLC0415 -- see _online

    if not values["--record"]:
        return None
    return Recorder(Path(values["--record"]), config, keep_names=values["--record-names"])


COMMAND = Command(
    "Validate the configuration; if valid, print what will be polled and how many requests that "
    "takes.",
    (
        CONFIG_FILE,
        Flag(
            "--online", "false", boolean, "also request everything from the API once", switch=True
        ),
        Flag(
            "--findings",
            "false",
            boolean,
            "with --online: also print what was learned where the API's documentation is silent",
            switch=True,
        ),
        Flag(
            "--record",
            None,
            str,
            "with --online: save the redacted responses and the findings in this directory",
        ),
        Flag(
            "--record-names",
            "false",
            boolean,
            "with --record: do not redact the names of registries, images and tags",
            switch=True,
        ),
        Flag(
            "--file-only",
            "false",
            boolean,
            "judge the file alone: the API keys are neither looked for nor read",
            switch=True,
        ),
        *QUIET_LOG_FLAGS,
    ),
    _run,
)
