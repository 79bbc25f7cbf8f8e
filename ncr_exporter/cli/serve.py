"""`ncr-exporter serve`: polls the API and publishes /metrics until stopped."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ncr_exporter.app.config_source import STDIN
from ncr_exporter.app.serve import ServeOptions, serve
from ncr_exporter.cli.check import check, config_source
from ncr_exporter.cli.flags import (
    CONFIG_FILE,
    LOG_FLAGS,
    STORAGE_PATH,
    Command,
    Flag,
    UsageError,
    Values,
    address,
    boolean,
    positive,
    url_path,
)
from ncr_exporter.httpd.access import AccessPolicy
from ncr_exporter.runtime.startup_signals import end_command_on_signals
from ncr_exporter.targets.targets import Shard

_LONGEST_SHARD = 6  # digits


def _run(values: Values, environ: Mapping[str, str]) -> int:
    source = config_source(values, environ)
    if values["--config.check"]:
        end_command_on_signals()
        check(source)
        return 0
    if source.is_stdin and values["--config.auto-reload"]:
        raise UsageError("--config.auto-reload: a configuration from stdin cannot be read again")
    options = _options(values, environ)
    options = replace(options, read_again=source.read_again)
    return asyncio.run(serve(source.read(), options, environ=environ))


def _options(values: Values, environ: Mapping[str, str]) -> ServeOptions:
    return ServeOptions(
        listen=values["--web.listen-address"],
        telemetry_path=values["--web.telemetry-path"],
        max_requests=values["--web.max-requests"],
        config_file=None if values["--config.file"] == STDIN else Path(values["--config.file"]),
        enable_lifecycle=values["--web.enable-lifecycle"],
        auto_reload=values["--config.auto-reload"],
        storage=values["--storage.path"],
        access=_access_policy(values["--web.config.file"]),
        shard=chosen_shard(values["--shard"], values["--total-shards"], environ),
    )


def _access_policy(path: str | None) -> AccessPolicy | None:
    if path is None:
        return None
    from ncr_exporter.httpd.webconfig.policy import WebConfigPolicy  # noqa: PLC0415 -- costs time, needed only with a web config file

    return WebConfigPolicy(path)


def chosen_shard(shard: str | None, total: int, environ: Mapping[str, str]) -> Shard:
    """Return the shard that the flags select.

    Args:
        shard: a number from 0, or `auto` for the ordinal of a StatefulSet's pod.
        total: the number of shards.
        environ: holds the pod's name for `auto`: in POD_NAME if the manifest sets it, else in
            HOSTNAME.

    Raises:
        UsageError: the flags are invalid or contradict each other.
    """
    if shard is None and total == 1:
        return Shard()
    if shard is None:
        raise UsageError("--total-shards needs --shard: a number from 0, or auto")
    index = _ordinal_of(environ) if shard == "auto" else shard
    if not index.isascii() or not index.isdigit() or len(index) > _LONGEST_SHARD:
        raise UsageError(f"--shard: must be a number from 0, or auto, not {shard!r}")
    if int(index) >= total:
        raise UsageError(f"--shard: {index} is not below --total-shards, {total}")
    return Shard(int(index), total)


def _ordinal_of(environ: Mapping[str, str]) -> str:
    pod = environ.get("POD_NAME") or environ.get("HOSTNAME", "")
    match = re.search(r"-(\d+)$", pod, re.ASCII)
    if match is None:
        raise UsageError(f"--shard=auto: the pod name {pod!r} does not end in an ordinal")
    return match[1]


COMMAND = Command(
    "Poll the API and publish /metrics until stopped.",
    (
        CONFIG_FILE,
        Flag(
            "--config.auto-reload",
            "false",
            boolean,
            "reload when the configuration file changes",
            switch=True,
        ),
        Flag("--config.check", "false", boolean, "run `check` and exit", switch=True),
        Flag(
            "--web.listen-address",
            ":10627",
            address,
            "address to listen on, such as :10627, 127.0.0.1:10627 or [::1]:10627; [::]:10627 takes"
            " IPv4 too, unless another address has it",
            repeatable=True,
        ),
        Flag(
            "--web.config.file",
            None,
            str,
            "file with TLS, passwords and headers, in the format of Prometheus' exporter-toolkit",
        ),
        Flag("--web.telemetry-path", "/metrics", url_path, "URL path of the metrics"),
        Flag(
            "--web.enable-lifecycle",
            "false",
            boolean,
            "reload on POST or PUT to /-/reload; SIGHUP always reloads",
            switch=True,
        ),
        Flag(
            "--web.max-requests",
            "8",
            positive,
            "requests served at the same time; others wait up to 5 s, then get 503",
        ),
        STORAGE_PATH,
        Flag(
            "--shard", None, str, "number of this shard, from 0; auto takes the ordinal of the pod"
        ),
        Flag("--total-shards", "1", positive, "number of exporters that share the images"),
        *LOG_FLAGS,
    ),
    _run,
)
