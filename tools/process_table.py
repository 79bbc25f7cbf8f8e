"""How the process gets on with its host: signals, environment, streams. Documents go by this."""

from typing import NamedTuple

from ncr_exporter.runtime.environment import IGNORED


class Variable(NamedTuple):
    """What is decided of a variable, or of several."""

    reader: str
    """Who would read it."""
    words: str
    """What it does."""


SIGNALS = {
    "SIGTERM, SIGINT": (
        "end it; within 3 s, code 0",
        "end it at once; code 143 or 130, as in shells",
    ),
    "SIGHUP": (
        "reloads the configuration",
        "ends it, code 129; under nohup it is ignored",
    ),
    "SIGPIPE": ("nothing", "a reader that left, as in `once | head`: code 1, no message"),
}
"""Signals → what they do to `serve` and `demo`, and to the other commands."""

VARIABLES = {
    "NCR_EXPORTER_…": Variable("us", "the twins of flags, above"),
    "NCLOUD_…": Variable("us", "API keys and the metadata endpoint, as in the vendor's tools"),
    "HOME": Variable(
        "us",
        "where `.ncloud/configure` is looked for; without it, in the home directory that the "
        "system has for the user; where there is neither, nowhere",
    ),
    "POD_NAME, HOSTNAME": Variable("us", "with `--shard=auto`: the pod's name"),
    "NO_COLOR, TERM": Variable("us", "whether reports have colours, and a progress bar"),
    "FORCE_COLOR": Variable("structlog", "nothing: logs have no colours"),
    "COLUMNS, LINES": Variable(
        "Python", "the width of `--help`; of reports the terminal's own is used"
    ),
    "LC_ALL, LC_CTYPE, LC_MESSAGES, LANG, LANGUAGE": Variable(
        "Python",
        "the encoding of what people read; characters that it lacks are escaped. Metrics, JSON and "
        "CSV are UTF-8 everywhere",
    ),
    "TZ": Variable("the C library", "nothing: every time is in UTC"),
    "TMPDIR, TEMP, TMP": Variable(
        "Python",
        "where `demo --fault=rotated-key` keeps its key; nothing else needs such a directory",
    ),
    "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, REQUEST_METHOD": Variable(
        "httpx, Python",
        "the proxy for the API, only with `api.proxy_from_environment`; lower case as well",
    ),
    "SSL_CERT_FILE, SSL_CERT_DIR": Variable(
        "OpenSSL",
        "nothing for the API, which trusts certifi's authorities and those of `api.ca_file`. They "
        "hold for `health --url=https://…`, and for clients' certificates where `client_ca_file` "
        "is not set",
    ),
    "OPENSSL_CONF, OPENSSL_MODULES, …": Variable(
        "OpenSSL",
        "as everywhere: a host's rules for ciphers and providers hold",
    ),
    "RES_OPTIONS, LOCALDOMAIN, LD_…, MALLOC_…, GLIBC_TUNABLES": Variable(
        "the C library",
        "as everywhere: name look-ups, memory",
    ),
    "PYTHONASYNCIODEBUG, PYTHONDEVMODE": Variable(
        "Python",
        "as everywhere: they make it slow, and log what takes long; no key is shown",
    ),
    "PYTHON…": Variable("Python", "as everywhere; no value depends on them"),
    **{
        name: Variable(
            "Python" if name == "SSLKEYLOGFILE" else "prometheus_client", f"ignored: {why}"
        )
        for name, why in IGNORED.items()
    },
}
"""Variables → who reads them, and what they do."""


class Held(NamedTuple):
    """What is held of a misfortune of the process."""

    words: str
    """What users see."""
    test: str
    """The test that tries it, as `file::name` below `tests/`."""


_SIGNALS = "e2e/test_signals.py"
_STREAMS = "e2e/test_streams.py"
_ENVIRONMENT = "e2e/test_environment.py"
_ONCE = "unit/cli/test_once_outage.py"

PROCESS = {
    "SIGHUP while it starts": Held(
        "the configuration is read again once it serves; the process never ends by it",
        f"{_SIGNALS}::test_a_hangup_during_the_start_reloads_once_it_serves",
    ),
    "SIGTERM or SIGINT while it starts, as PID 1 too": Held(
        "it ends at once: `serve` with code 0, other commands with 128 and the signal's number",
        f"{_SIGNALS}::test_the_first_process_of_a_container_is_stopped_during_its_start",
    ),
    "a signal while it ends": Held(
        "it ends at once, with the exit code that it had",
        f"{_SIGNALS}::test_a_signal_at_the_very_end_changes_neither_exit_code_nor_log",
    ),
    "SIGKILL while it writes a file": Held(
        "the file from before stays. What was begun beside it is removed by the next write",
        "unit/runtime/test_atomicfile.py::test_what_a_killed_writer_left_is_removed_by_the_next",
    ),
    "nobody reads what a command prints": Held(
        "a signal ends it all the same",
        f"{_STREAMS}::test_a_signal_ends_a_command_whose_output_nobody_reads",
    ),
    "stdout is full or closed": Held(
        "commands that print say so in one line and exit with 1; `serve` needs no stdout",
        f"{_STREAMS}::test_output_that_cannot_be_written_is_one_line_and_exit_code_1",
    ),
    "stderr is full or closed": Held(
        "messages are lost; output and exit codes stay",
        f"{_STREAMS}::test_errors_that_cannot_be_shown_change_neither_output_nor_exit_code",
    ),
    "a console that knows ASCII alone": Held(
        "names have escapes such as `\\ub808`; metrics, JSON and CSV stay UTF-8",
        f"{_STREAMS}::test_a_console_that_knows_ascii_alone_shows_names_as_escapes",
    ),
    "an outage during `once --output`": Held(
        "the good file stays, exit code 1; with `--storage.path` it is written, and what fails "
        "keeps its last good values with their true age",
        f"{_ONCE}::test_without_storage_an_outage_leaves_the_good_file",
    ),
    "variables of other programs in the environment": Held(
        "nothing: [each is decided](cli.md#environment)",
        f"{_ENVIRONMENT}::test_variables_of_other_programs_change_nothing",
    ),
    "a user without a name and HOME": Held(
        "keys come from configuration or environment; else one line says that there are none",
        f"{_ENVIRONMENT}::test_a_user_without_a_home_is_told_where_keys_may_stand",
    ),
}
"""What happens to the process → what is held of it."""
