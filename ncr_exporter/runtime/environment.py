"""Environment variables of other programs, which libraries would read by themselves."""

import os

IGNORED = {
    "PROMETHEUS_MULTIPROC_DIR": "prometheus_client would keep values in files, over restarts",
    "prometheus_multiproc_dir": "the same variable as older versions of prometheus_client name it",
    "PROMETHEUS_DISABLE_CREATED_SERIES": "there are no `_created` series, whatever it says",
    "PROMETHEUS_LEGACY_NAME_VALIDATION": "no name of a family or label depends on it",
    "SSLKEYLOGFILE": "Python would write the keys of TLS connections to a file, which reveal "
    "requests and passwords",
}
"""Name of a variable → why the program ignores it, for docs/cli.md."""


def ignore_variables_of_others() -> None:
    """Remove the variables of `IGNORED` from this process's environment.

    To be called before the libraries are imported: prometheus_client decides by its variables when
    it is.
    """
    for name in IGNORED:
        os.environ.pop(name, None)
