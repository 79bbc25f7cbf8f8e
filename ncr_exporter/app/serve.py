"""The only place that wires things together: start, reload, stop."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from ncr_exporter import __version__
from ncr_exporter.app.accounts import Accounts, uses
from ncr_exporter.app.pipeline import Publisher
from ncr_exporter.app.reloading import Reloader
from ncr_exporter.config import Config, load
from ncr_exporter.httpd.access import Gate
from ncr_exporter.httpd.address import Address
from ncr_exporter.httpd.limits import Limits
from ncr_exporter.httpd.server import Server
from ncr_exporter.metrics.exporter_metrics import AccountUse, OwnMetrics
from ncr_exporter.metrics.exposition import Exposition
from ncr_exporter.polling.poller import Poller
from ncr_exporter.runtime.clock import Clock, SystemClock
from ncr_exporter.runtime.cooperative import InBackground
from ncr_exporter.runtime.errors import UserError
from ncr_exporter.runtime.memory import give_back_large_blocks, keep_what_was_imported
from ncr_exporter.runtime.signals import reload_on_hangup, stop_requested
from ncr_exporter.state.persistence import Keeper
from ncr_exporter.state.saved import Kept
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.shard import Shard
from ncr_exporter.targets.targets import Catalog, catalogs
from ncr_exporter.web.routes import Routes

log = structlog.get_logger()


class ListenError(UserError):
    """An address to listen on cannot be had; `str()` names it and the remedy."""

    exit_code = 1


@dataclass(frozen=True)
class ServeOptions:
    """The flags of `serve`, read."""

    listen: tuple[Address, ...]
    telemetry_path: str = "/metrics"
    max_requests: int = 8
    shard: Shard = field(default_factory=Shard)
    gate: Gate | None = None
    """TLS, passwords and headers; None for none of them."""
    config_file: Path | None = None
    """Where to read the configuration anew; None where it has no file."""
    enable_lifecycle: bool = False
    auto_reload: bool = False
    storage: Path | None = None
    """The directory that keeps the last good data; None where nothing is kept."""


@dataclass(frozen=True)
class Running:
    """An exporter at work."""

    addresses: tuple[Address, ...]
    reload: Callable[[], Awaitable[None]]
    """Read the configuration anew; UserError where it cannot be used."""


@asynccontextmanager
async def exporter(
    config: Config,
    options: ServeOptions,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
) -> AsyncIterator[Running]:
    """Run the whole exporter.

    Raises:
        UserError: the configuration cannot be used, or an address cannot be had.
    """
    clock = clock or SystemClock()
    keeper = Keeper(options.storage, clock) if options.storage else None
    kept = keeper.read() if keeper else Kept()
    it = _Parts(config, options.shard, environ, clock, kept)
    reloader = _reloader(it, options, environ)
    routes = _routes(it, options, reloader)
    limits = Limits(requests=options.max_requests)
    async with it.accounts, Server(routes, limits, options.gate) as server:
        wanted = it.connected(config)
        addresses = await _listen(server, options)
        try:
            it.poll(config, wanted)
            it.own.configured(config.digest, it.clock.time())
            keeping = keeper.keeping(it.store) if keeper else nullcontext()
            async with keeping, _following(reloader, options, config.digest):
                yield Running(addresses, reloader.reload)
        finally:
            await it.poller.stop()


async def serve(
    config: Config,
    options: ServeOptions,
    *,
    environ: Mapping[str, str] = os.environ,
    announce: Callable[[tuple[Address, ...]], None] = lambda _: None,
) -> int:
    """Run until SIGTERM or SIGINT; return the exit code. `announce` is told the addresses."""
    stop = stop_requested()
    give_back_large_blocks()
    async with exporter(config, options, environ=environ) as running:
        keep_what_was_imported()
        reload_on_hangup(running.reload)
        announce(running.addresses)
        listening = " ".join(map(str, running.addresses))
        log.info("serving", version=__version__, address=listening, path=options.telemetry_path)
        await stop.wait()
        log.info("stopping")
    log.info("stopped")
    return 0


class _Parts:
    """What polls and publishes, and how a configuration is put in force."""

    def __init__(
        self,
        config: Config,
        shard: Shard,
        environ: Mapping[str, str],
        clock: Clock,
        kept: Kept,
    ) -> None:
        self.config = config
        self.clock = clock
        self.exposition = Exposition()
        self.exposition.changed = InBackground(self.exposition.rendering).wake
        self.own = OwnMetrics(series=lambda: self.exposition.series)
        self.store = Store(Publisher(self.exposition, self.own, shard))
        self.accounts = Accounts(environ=environ, clock=clock, observer=self.own)
        self._shard = shard
        self._budget = Budget(self._rate(config))
        self.poller = Poller(
            self.accounts.clients, self.store, self._budget, clock, shard, kept=kept
        )
        self.own.watch(self._uses)

    def use(self, config: Config) -> None:
        """Put a configuration in force.

        Raises:
            UserError: it cannot be used; nothing was changed.
        """
        self.poll(config, self.connected(config))

    def connected(self, config: Config) -> tuple[Catalog, ...]:
        """Return what a configuration asks for, with a client for each of its accounts.

        Raises:
            UserError: it cannot be used; nothing was changed.
        """
        wanted = catalogs(config)
        self.accounts.apply(config, wanted, rate=self._rate(config))
        return wanted

    def poll(self, config: Config, wanted: tuple[Catalog, ...]) -> None:
        """Begin, or go on, with what a configuration asks for."""
        self._budget.limit = self._rate(config)
        self.poller.apply(wanted)
        self.config = config

    def _rate(self, config: Config) -> float:
        return config.api.requests_per_second / self._shard.total

    def _uses(self) -> Iterable[AccountUse]:
        now = self.clock.monotonic()
        return uses(self.accounts.clients, self.store.targets, self._budget, now)


def _routes(it: _Parts, options: ServeOptions, reloader: Reloader) -> Routes:
    return Routes(
        exposition=it.exposition,
        own=it.own,
        store=it.store,
        ready=lambda: it.poller.ready,
        clock=it.clock,
        next_poll=it.poller.next_poll,
        telemetry_path=options.telemetry_path,
        config=lambda: it.config.shown,
        reload=reloader.reload if options.enable_lifecycle else None,
    )


def _reloader(it: _Parts, options: ServeOptions, environ: Mapping[str, str]) -> Reloader:
    path = options.config_file
    read = partial(load, str(path), environ) if path else lambda: it.config
    return Reloader(read, it.use, it.own, it.clock)


@asynccontextmanager
async def _following(reloader: Reloader, options: ServeOptions, seen: str) -> AsyncIterator[None]:
    """Meanwhile reload when the file changes, where that was asked for."""
    if options.config_file is None or not options.auto_reload:
        yield
        return
    task = asyncio.create_task(reloader.follow(options.config_file, seen))
    try:
        yield
    finally:
        task.cancel()


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


def _why(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror):
        return error.strerror or "no such host"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own text repeats the address
    return "no such host"
