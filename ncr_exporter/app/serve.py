"""The running exporter of `serve`: start, reload, stop."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from ncr_exporter import __version__
from ncr_exporter.app.pipeline import Pipeline
from ncr_exporter.app.reloading import Reloader
from ncr_exporter.config import Config, load
from ncr_exporter.httpd.access import AccessPolicy
from ncr_exporter.httpd.address import Address
from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.server import Server
from ncr_exporter.runtime.clock import Clock, SystemClock
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.memory import freeze_imported_objects, give_back_large_blocks
from ncr_exporter.runtime.signals import reload_on_hangup, stop_on_signals
from ncr_exporter.state.persistence import StatePersister
from ncr_exporter.targets.targets import Shard
from ncr_exporter.web.routes import Routes

log = structlog.get_logger()


class ListenError(UserError):
    """The exporter cannot listen on an address; `str()` names it and the remedy."""

    exit_code = 1


@dataclass(frozen=True)
class ServeOptions:
    """The values of the flags of `serve`."""

    listen: tuple[Address, ...]
    telemetry_path: str = "/metrics"
    max_requests: int = 8
    shard: Shard = field(default_factory=Shard)
    access: AccessPolicy | None = None
    """TLS, passwords and headers; None without `--web.config.file`."""
    config_file: Path | None = None
    """The file that auto-reload follows; None if the configuration has no file."""
    read_again: Callable[[], Config] | None = None
    """Reads the configuration for a reload; None reads `config_file`."""
    enable_lifecycle: bool = False
    auto_reload: bool = False
    storage: Path | None = None
    """The directory of the state file; None if no state is saved."""


@dataclass(frozen=True)
class RunningExporter:
    """A running exporter."""

    addresses: tuple[Address, ...]
    """The addresses that it listens on, with the actual ports."""
    reload: Callable[[], Awaitable[None]]
    """Reloads the configuration; raises UserError if it cannot be used."""


@asynccontextmanager
async def exporter(
    config: Config,
    options: ServeOptions,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
) -> AsyncIterator[RunningExporter]:
    """Run the whole exporter while the context is open.

    Raises:
        UserError: the configuration or the storage cannot be used.
        ListenError: it cannot listen on an address.
    """
    clock = clock or SystemClock()
    persister = StatePersister(options.storage, clock) if options.storage else None
    pipeline = Pipeline(
        config,
        environ=environ,
        clock=clock,
        shard=options.shard,
        saved=persister.read() if persister else None,
    )
    reloader = _reloader(pipeline, options, environ)
    routes = _routes(pipeline, options, reloader)
    limits = Limits(requests=options.max_requests)
    async with pipeline, Server(routes, limits, options.access) as server:
        # No request is sent by an exporter that cannot listen: one may be running already.
        targets = pipeline.connect(config)
        addresses = await _listen(server, options)
        pipeline.poll(config, targets)
        persisting = persister.persisting(pipeline.store) if persister else nullcontext()
        async with persisting, _following(reloader, options, config.digest):
            yield RunningExporter(addresses, reloader.reload)


async def serve(
    config: Config,
    options: ServeOptions,
    *,
    environ: Mapping[str, str] = os.environ,
    announce: Callable[[tuple[Address, ...]], None] = lambda _: None,
) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code.

    `announce` is called with the addresses once the exporter listens on them.

    Raises:
        UserError: the configuration or the storage cannot be used.
        ListenError: it cannot listen on an address.
    """
    stop = stop_on_signals()
    give_back_large_blocks()
    async with exporter(config, options, environ=environ) as running:
        freeze_imported_objects()
        reload_on_hangup(running.reload)
        announce(running.addresses)
        listening = " ".join(map(str, running.addresses))
        log.info("serving", version=__version__, address=listening, path=options.telemetry_path)
        await stop.wait()
        log.info("stopping")
    log.info("stopped")
    return 0


def _routes(pipeline: Pipeline, options: ServeOptions, reloader: Reloader) -> Routes:
    return Routes(
        exposition=pipeline.exposition,
        exporter_metrics=pipeline.exporter_metrics,
        store=pipeline.store,
        ready=lambda: pipeline.poller.ready,
        clock=pipeline.clock,
        next_poll=pipeline.poller.next_poll,
        telemetry_path=options.telemetry_path,
        config=lambda: pipeline.config.redacted,
        reload=reloader.reload if options.enable_lifecycle else None,
    )


def _reloader(pipeline: Pipeline, options: ServeOptions, environ: Mapping[str, str]) -> Reloader:
    path = options.config_file
    read = partial(load, str(path), environ) if path else lambda: pipeline.config
    read = options.read_again or read
    return Reloader(read, pipeline.use, pipeline.exporter_metrics, pipeline.clock)


@asynccontextmanager
async def _following(reloader: Reloader, options: ServeOptions, digest: str) -> AsyncIterator[None]:
    """Reload when the file changes, with `--config.auto-reload`, while the context is open."""
    if options.config_file is None or not options.auto_reload:
        yield
        return
    task = asyncio.create_task(reloader.follow(options.config_file, digest))
    try:
        yield
    finally:
        task.cancel()


async def _listen(server: Server, options: ServeOptions) -> tuple[Address, ...]:
    addresses = []
    for address in options.listen:
        try:
            port = await server.listen(address.host, address.port)
        except (OSError, UnicodeError) as error:  # UnicodeError: a host that is no DNS name
            message = f"cannot listen on {address}: {_why(error)}; choose another with"
            raise ListenError(f"{message} --web.listen-address") from None
        addresses.append(Address(address.host, port))
    return tuple(addresses)


def _why(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror):
        return error.strerror or "no such host"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own text repeats the address
    return "no such host"
