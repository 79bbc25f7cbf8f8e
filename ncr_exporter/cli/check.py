"""`ncr-exporter check`: say what is wrong with a configuration, else what it sets in motion."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

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
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.signals import run_to_its_end
from ncr_exporter.targets.plan import plan_of
from ncr_exporter.targets.targets import Account, RegistryListTarget, registry_list_targets

if TYPE_CHECKING:
    from ncr_exporter.recording.recorder import Recorder


def check(path: str, environ: Mapping[str, str], *, with_credentials: bool = True) -> Config:
    """Validate without asking anybody and print the plan; return the configuration.

    With `with_credentials` false the API keys are neither looked for nor read.

    Raises:
        UserError: the configuration cannot be used.
    """
    config = load(path, environ)
    wanted = registry_list_targets(config)
    client_pool(config.api, config.directory)
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
    """Return where each account's key comes from; of all that have none, say so at once."""
    sources, problems = {}, []
    for account in dict.fromkeys(catalog.account for catalog in wanted):
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
        raise UsageError("--record: needs --online")
    with_credentials = not values["--file-only"]
    if values["--online"] and not with_credentials:
        raise UsageError("--file-only: --online asks with the API key")
    config = check(values["--config.file"], environ, with_credentials=with_credentials)
    return _online(config, values, environ) if values["--online"] else 0


def _online(config: Config, values: Values, environ: Mapping[str, str]) -> int:
    # Imported here: an offline check, and the start of `serve`, need nothing of it.
    from ncr_exporter.check_online.run import check_online  # noqa: PLC0415 -- see above
    from ncr_exporter.report.terminal import Terminal  # noqa: PLC0415 -- likewise

    recorder = _recorder(config, values)
    sys.stdout.write("\n")
    work = check_online(
        config,
        environ,
        Terminal(sys.stdout),
        sinks=[recorder.take] if recorder else [],
        with_progress=values["--log.level"] == "error",
    )
    code = run_to_its_end(work)
    if recorder:
        sys.stdout.write(f"\n{recorder.finish()}\n")
    return code


def _recorder(config: Config, values: Values) -> "Recorder | None":
    from ncr_exporter.recording.recorder import Recorder  # noqa: PLC0415 -- as above

    if not values["--record"]:
        return None
    return Recorder(Path(values["--record"]), config, keep_names=values["--record-names"])


COMMAND = Command(
    "say what is wrong with the configuration, else what it sets in motion",
    (
        CONFIG_FILE,
        Flag("--online", "false", boolean, "also ask the API, for everything once", switch=True),
        Flag("--record", None, str, "with --online: keep the answers, redacted, in this directory"),
        Flag(
            "--record-names",
            "false",
            boolean,
            "keep the names of registries, images and tags in the recording",
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
