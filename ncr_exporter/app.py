"""The only place that wires things together: start, run until a signal, stop."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from ncr_exporter import __version__
from ncr_exporter.accounts import connected, uses
from ncr_exporter.clock import Clock, SystemClock
from ncr_exporter.config import Config
from ncr_exporter.flags import Address
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.metrics.own import OwnMetrics
from ncr_exporter.polling.budget import Budget
from ncr_exporter.polling.poller import Poller
from ncr_exporter.publisher import Publisher
from ncr_exporter.shard import Shard
from ncr_exporter.store import Store
from ncr_exporter.targets import catalogs
from ncr_exporter.web.limits import Limits
from ncr_exporter.web.routes import Routes
from ncr_exporter.web.server import Server

_LONGEST_STOP = 3.0
"""Seconds. A name look-up runs in a thread that nothing can end; it must not hold the exit up."""

log = structlog.get_logger()


class ListenError(Exception):
    """An address to listen on cannot be had; `str()` names it and the remedy."""


@dataclass(frozen=True)
class ServeOptions:
    """The flags of `serve`, read."""

    listen: tuple[Address, ...]
    telemetry_path: str = "/metrics"
    max_requests: int = 8
    shard: Shard = field(default_factory=Shard)


@asynccontextmanager
async def exporter(
    config: Config,
    options: ServeOptions,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
) -> AsyncIterator[tuple[Address, ...]]:
    """Run the whole exporter; give the addresses it listens on.

    Raises:
        CredentialsError, ConfigError: the configuration cannot be used.
        ListenError: an address cannot be had.
    """
    clock, shard = clock or SystemClock(), options.shard
    wanted = catalogs(config)
    exposition = Exposition()
    own = OwnMetrics(series=lambda: exposition.series)
    own.configured(config.digest, clock.time())
    store = Store(Publisher(exposition, own, shard))
    rate = config.api.requests_per_second / shard.total
    budget = Budget(rate, config.api.page_size)
    async with connected(
        config, wanted, rate=rate, environ=environ, clock=clock, observer=own
    ) as clients:
        poller = Poller(clients, store, budget, clock, shard)
        own.watch(lambda: uses(clients, store.targets, budget, clock.monotonic()))
        routes = Routes(
            exposition=exposition,
            own=own,
            store=store,
            ready=lambda: poller.ready,
            clock=clock,
            next_poll=poller.next_poll,
            telemetry_path=options.telemetry_path,
        )
        async with Server(routes, Limits(requests=options.max_requests)) as server:
            addresses = await _listen(server, options)
            poller.start(wanted)
            try:
                yield addresses
            finally:
                await poller.stop()


async def serve(
    config: Config,
    options: ServeOptions,
    *,
    environ: Mapping[str, str] = os.environ,
    announce: Callable[[tuple[Address, ...]], None] = lambda _: None,
) -> int:
    """Run until SIGTERM or SIGINT; return the exit code. `announce` is told the addresses."""
    stop = stop_requested()
    async with exporter(config, options, environ=environ) as addresses:
        listening = " ".join(map(str, addresses))
        announce(addresses)
        log.info("serving", version=__version__, address=listening, path=options.telemetry_path)
        await stop.wait()
        log.info("stopping")
    log.info("stopped")
    return 0


def stop_requested() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; the process ends soon after, whatever hangs."""
    stop = asyncio.Event()

    def request_stop() -> None:
        stop.set()
        deadline = threading.Timer(_LONGEST_STOP, os._exit, (0,))
        deadline.daemon = True
        deadline.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, request_stop)
    return stop


def _why(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror):
        return error.strerror or "no such host"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own text repeats the address
    return "no such host"


async def _listen(server: Server, options: ServeOptions) -> tuple[Address, ...]:
    addresses = []
    for address in options.listen:
        try:
            port = await server.listen(address.host, address.port)
        except (OSError, UnicodeError) as error:  # a UnicodeError for a host that no DNS can hold
            message = f"cannot listen on {address}: {_why(error)}; choose another with"
            raise ListenError(f"{message} --web.listen-address") from None
        addresses.append(Address(address.host, port))
    return tuple(addresses)
