"""`ncr-exporter check`: validates the configuration and prints the plan of requests."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ncr_exporter.app.accounts import proxies_of
from ncr_exporter.cli.flags import (
    CONFIG_FILE,
    QUIET_LOG_FLAGS,
    Command,
    Flag,
    UsageError,
    Values,
    boolean,
)
from ncr_exporter.config import Config, load
from ncr_exporter.ncr.credentials import find_credentials
from ncr_exporter.ncr.http import client_pool
from ncr_exporter.ncr.keys import CredentialsError
from ncr_exporter.ncr.versions import gateway_of
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.signals import run_until_interrupted
from ncr_exporter.targets.plan import plan_of
from ncr_exporter.targets.targets import Account, RegistryListTarget, registry_list_targets

if TYPE_CHECKING:
    from ncr_exporter.recording.recorder import Recorder


def check(path: str, environ: Mapping[str, str], *, with_credentials: bool = True) -> Config:
    """Validate a configuration offline, print its plan, and return it.

    With `with_credentials` false the API keys are neither looked for nor read.

    Raises:
        UserError: the configuration cannot be used.
    """
    config = load(path, environ)
    wanted = registry_list_targets(config)
    client_pool(config.api, config.directory)
    for account in dict.fromkeys(target.account for target in wanted):
        proxies_of(config.api, gateway_of(config.api, account.zone), environ)
    sources = (
        _sources(config, wanted, environ)
        if with_credentials
        else dict.fromkeys((each.account for each in wanted), "a place that was not looked at")
    )
    plan = plan_of(config, wanted, sources)
    warnings = [line for warning in plan.warnings for line in ("", f"warning: {warning}")]
    lines = [f"{path} is valid", "", *plan.lines, *warnings]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
    return config


def _sources(
    config: Config, wanted: Iterable[RegistryListTarget], environ: Mapping[str, str]
) -> dict[Account, str]:
    """Return the source of each account's API key.

    Raises:
        UserError: accounts have no usable key; the message has a line for each of them.
    """
    sources, problems = {}, []
    for account in dict.fromkeys(target.account for target in wanted):
        try:
            sources[account] = find_credentials(
                account.credentials, config.directory, environ
            ).source
        except CredentialsError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(dict.fromkeys(problems)))
    return sources


def _run(values: Values, environ: Mapping[str, str]) -> int:
    if values["--record"] and not values["--online"]:
        raise UsageError("--record needs --online")
    with_credentials = not values["--file-only"]
    if values["--online"] and not with_credentials:
        raise UsageError("--online needs the API key, and --file-only looks for none")
    config = check(values["--config.file"], environ, with_credentials=with_credentials)
    return _online(config, values, environ) if values["--online"] else 0


def _online(config: Config, values: Values, environ: Mapping[str, str]) -> int:
    # `serve` imports this module, and must not pay for what only an online check needs.
    from ncr_exporter.check_online.run import check_online  # noqa: PLC0415 -- see above
    from ncr_exporter.report.terminal import Terminal  # noqa: PLC0415 -- see above

    recorder = _recorder(config, values)
    sys.stdout.write("\n")
    work = check_online(
        config,
        environ,
        Terminal(sys.stdout),
        sinks=[recorder.add] if recorder else [],
        with_progress=values["--log.level"] == "error",
    )
    code = run_until_interrupted(work)
    if recorder:
        sys.stdout.write(f"\n{recorder.finish()}\n")
    return code


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
        Flag("--record", None, str, "with --online: save the redacted responses in this directory"),
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
