"""`ncr-exporter check`: say what is wrong with a configuration, else what it sets in motion."""

import sys
from collections.abc import Iterable, Mapping

from ncr_exporter.accounts import http_of
from ncr_exporter.commands import CONFIG_FILE, QUIET_LOG_FLAGS, Command, Values
from ncr_exporter.config import Config, load
from ncr_exporter.errors import UserError
from ncr_exporter.ncr.credentials import CredentialsError, find_credentials
from ncr_exporter.plan import plan_of
from ncr_exporter.targets import Account, Catalog, catalogs


def check(path: str, environ: Mapping[str, str]) -> int:
    """Validate without asking anybody; print the plan; return the exit code.

    Raises:
        UserError: the configuration cannot be used.
    """
    config = load(path, environ)
    wanted = catalogs(config)
    http_of(config)
    plan = plan_of(config, wanted, _sources(config, wanted, environ))
    warnings = [line for warning in plan.warnings for line in ("", f"warning: {warning}")]
    lines = [f"{path} is valid", "", *plan.lines, *warnings]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _sources(
    config: Config, wanted: Iterable[Catalog], environ: Mapping[str, str]
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
    return check(values["--config.file"], environ)


COMMAND = Command(
    "say what is wrong with the configuration, else what it sets in motion",
    (CONFIG_FILE, *QUIET_LOG_FLAGS),
    _run,
)
