"""Environment variables of other programs, which libraries would read by themselves."""

import os

IGNORED = {
    "PROMETHEUS_MULTIPROC_DIR": "prometheus_client would keep values in files, and over restarts",
    "prometheus_multiproc_dir": "older name of `PROMETHEUS_MULTIPROC_DIR`",
    "PROMETHEUS_DISABLE_CREATED_SERIES": "there are no `_created` series, whatever it says",
    "PROMETHEUS_LEGACY_NAME_VALIDATION": "all names are valid under either rule",
    "SSLKEYLOGFILE": "Python would write the keys of TLS connections to a file, and anyone who "
    "reads it can read requests and passwords",
}
"""Name of a variable that the program ignores → why, for docs/cli.md."""


def ignore_variables_of_others() -> None:
    """Remove the variables of `IGNORED` from this process's environment.

    Call it before the libraries are imported: prometheus_client reads its variables then.
    """
    for name in IGNORED:
        os.environ.pop(name, None)
