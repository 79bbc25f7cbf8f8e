"""`ncr-exporter demo`: runs the whole program against a simulated registry."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from ncr_exporter.cli.flags import LOG_FLAGS, Command, Flag, UsageError, Values, address, choice
from ncr_exporter.config.units import parse_duration
from ncr_exporter.config.zones import VERSIONS
from ncr_exporter.simulator.faults import FAULTS
from ncr_exporter.simulator.run import demo, replayed_registry, simulated_registry


def _run(values: Values, _: Mapping[str, str]) -> int:
    if values["--tags"] and values["--replay"]:
        raise UsageError("give --tags or --replay, not both")
    if values["--api-version"] and values["--replay"]:
        raise UsageError("leave out --api-version: a recording is replayed in its own version")
    _check_delay(values["--fault"], values["--fault-after"])
    try:
        if values["--replay"]:
            registry, config_of = replayed_registry(values["--replay"], values["--fault"])
        else:
            registry, config_of = simulated_registry(
                values["--tags"], values["--fault"], values["--api-version"] or VERSIONS[0]
            )
    except ValueError as error:
        raise UsageError(str(error)) from None
    running = demo(
        registry,
        config_of,
        values["--web.listen-address"],
        fault_after=values["--fault-after"],
        write_config=Path(values["--write-config"]) if values["--write-config"] else None,
    )
    return asyncio.run(running)


def _check_delay(fault: str | None, seconds: float) -> None:
    """Check that a fault can begin later.

    Raises:
        UsageError: there is no fault, or it is one of the certificate.
    """
    if seconds and not fault:
        raise UsageError("--fault-after needs --fault")
    if seconds and fault in FAULTS and FAULTS[fault].certificate:
        raise UsageError(f"--fault-after: {fault} cannot begin later; leave it out")


COMMAND = Command(
    "Run the whole program against a simulated registry.",
    (
        Flag("--tags", None, str, "serve the tags in this file, a JSON array as the API sends it"),
        Flag(
            "--replay",
            None,
            str,
            "serve the recording in this directory, from `check --online --record`",
        ),
        Flag(
            "--fault",
            None,
            str,
            "fault of every response of the simulated registry, such as throttle",
        ),
        Flag(
            "--api-version",
            None,
            choice(VERSIONS),
            f"version of the API to ask in, {' or '.join(VERSIONS)}; omitted, {VERSIONS[0]}",
        ),
        Flag(
            "--fault-after",
            "0s",
            parse_duration,
            "let the fault begin after this time, such as 30s, to see what stays of good data",
        ),
        Flag(
            "--write-config",
            "ncr-exporter-demo.yml",
            str,
            "file for the demo's configuration, to try check and once with; empty for none",
        ),
        Flag(
            "--web.listen-address",
            "127.0.0.1:10627",
            address,
            "address to listen on",
            repeatable=True,
        ),
        *LOG_FLAGS,
    ),
    _run,
)
