"""The running exporter of `serve`: start, reload, stop."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
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
from ncr_exporter.metrics.exporter_metrics import ExporterMetrics
from ncr_exporter.runtime.clock import Clock, SystemClock
from ncr_exporter.runtime.descriptors import WANTED_DESCRIPTORS, raise_descriptor_limit
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.log_queue import logs_in_background
from ncr_exporter.runtime.loop_errors import LoopErrors
from ncr_exporter.runtime.memory import freeze_imported_objects, give_back_large_blocks
from ncr_exporter.runtime.signals import reload_on_hangup
from ncr_exporter.runtime.stopping import Stop
from ncr_exporter.state.persistence import StatePersister
from ncr_exporter.state.saved import SavedState
from ncr_exporter.targets.targets import Coverage, Shard
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
    descriptors: int = WANTED_DESCRIPTORS
    """How many files and sockets the process may have open."""
    dropped_log_lines: Callable[[], int] = lambda: 0
    """Returns how many log lines were dropped so far."""


@dataclass(frozen=True)
class RunningExporter:
    """A running exporter."""

    addresses: tuple[Address, ...]
    """The addresses that it listens on, with the actual ports."""
    reload: Callable[[], Awaitable[None]]
    """Reloads the configuration; raises UserError if it cannot be used."""
    make_room: Callable[[], None]
    """Closes the connections that have been idle longest."""


@asynccontextmanager
async def exporter(  # noqa: PLR0913 -- what tests and `serve` set, each by name
    config: Config,
    options: ServeOptions,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    on_listening: Callable[[RunningExporter], None] = lambda _: None,
    on_progress: Callable[[], object] = lambda: None,
) -> AsyncIterator[RunningExporter]:
    """Run the whole exporter while the context is open.

    `on_listening` is called when it answers requests, before the stored state is read: reloads
    then wait until it polls. `on_progress` is called, in a thread, while state is written.

    Raises:
        UserError: the configuration or the storage cannot be used.
        ListenError: it cannot listen on an address.
    """
    clock, saved = clock or SystemClock(), SavedState()
    pipeline = Pipeline(config, environ=environ, clock=clock, shard=options.shard, saved=saved)
    persister = _persister(pipeline.exporter_metrics, options, clock, on_progress)
    reloader = _reloader(pipeline, options, environ)
    routes = _routes(pipeline, options, reloader)
    limits = Limits.within(options.descriptors, requests=options.max_requests)
    server = Server(routes, limits, options.access, routes.shares_places)
    pipeline.exporter_metrics.open_connections = lambda: server.open_connections
    pipeline.exporter_metrics.dropped_log_lines = options.dropped_log_lines
    async with pipeline, server:
        # No request is sent by an exporter that cannot listen: one may be running already.
        targets = await pipeline.connect(config)
        addresses = await _listen(server, options)
        running = RunningExporter(addresses, reloader.reload, server.make_room)
        async with reloader.held():
            on_listening(running)
            if persister:
                await persister.read_in_thread(Coverage(targets, options.shard), saved)
            await pipeline.poll(config, targets)
        async with _persisting(persister, pipeline), _following(reloader, options):
            yield running


def _persister(
    metrics: ExporterMetrics,
    options: ServeOptions,
    clock: Clock,
    on_progress: Callable[[], object],
) -> StatePersister | None:
    if options.storage is None:
        return None
    metrics.publish_state_writes()
    persister = StatePersister(options.storage, clock, metrics, on_progress=on_progress)
    persister.prepare()
    return persister


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
    stop = Stop()
    give_back_large_blocks()
    loop_errors = LoopErrors()
    loop_errors.install()

    def on_listening(running: RunningExporter) -> None:
        freeze_imported_objects()
        reload_on_hangup(running.reload)
        loop_errors.make_room = running.make_room
        announce(running.addresses)
        listening = " ".join(map(str, running.addresses))
        log.info("serving", version=__version__, address=listening, path=options.telemetry_path)

    with logs_in_background() as dropped:
        running = exporter(
            config,
            replace(options, descriptors=raise_descriptor_limit(), dropped_log_lines=dropped),
            environ=environ,
            on_listening=on_listening,
            on_progress=stop.deadline.postpone,
        )
        with stop.awaited():
            await _run_until_cancelled(running)
        log.info("stopped")
    stop.deadline.done()
    return 0


async def _run_until_cancelled(running: AbstractAsyncContextManager[RunningExporter]) -> None:
    async with running:
        await asyncio.Event().wait()


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


def _persisting(
    persister: StatePersister | None, pipeline: Pipeline
) -> AbstractAsyncContextManager[None]:
    if persister is None:
        return nullcontext()
    return persister.persisting(pipeline.store, lambda: pipeline.clock.correction)


def _reloader(pipeline: Pipeline, options: ServeOptions, environ: Mapping[str, str]) -> Reloader:
    path = options.config_file
    read = partial(load, str(path), environ) if path else lambda: pipeline.config
    read = options.read_again or read
    metrics, digest = pipeline.exporter_metrics, pipeline.config.digest
    return Reloader(read, pipeline.use, metrics, pipeline.clock, digest=digest)


@asynccontextmanager
async def _following(reloader: Reloader, options: ServeOptions) -> AsyncIterator[None]:
    """Reload when the file changes, with `--config.auto-reload`, while the context is open."""
    if options.config_file is None or not options.auto_reload:
        yield
        return
    task = asyncio.create_task(reloader.follow(options.config_file))
    try:
        yield
    finally:
        task.cancel()


async def _listen(server: Server, options: ServeOptions) -> tuple[Address, ...]:
    addresses = []
    for address in options.listen:
        ipv6_only = any(_has_port_on_ipv4(other, address.port) for other in options.listen)
        try:
            port = await server.listen(address.host, address.port, ipv6_only=ipv6_only)
        except (OSError, UnicodeError) as error:  # UnicodeError: a host that is no DNS name
            message = f"cannot listen on {address}: {_why(error)}; choose another with"
            raise ListenError(f"{message} --web.listen-address") from None
        addresses.append(Address(address.host, port))
    return tuple(addresses)


def _has_port_on_ipv4(address: Address, port: int) -> bool:
    """Return whether an address of IPv4 has this port, so that `[::]` must leave it to that."""
    is_ipv6 = address.host is not None and ":" in address.host
    return address.port == port != 0 and not is_ipv6


def _why(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror):
        return error.strerror or "no such host"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own text repeats the address
    return "no such host"
