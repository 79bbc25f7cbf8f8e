"""Signed GET requests, with deadline, caps and retries; the gateway's clock, from responses."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, Protocol

import httpx
import structlog

from ncr_exporter.ncr.body import read_body
from ncr_exporter.ncr.errors import (
    ApiError,
    AuthenticationError,
    DeadlineError,
    MalformedError,
    ThrottledError,
    TooLargeError,
)
from ncr_exporter.ncr.fair_queue import Priority
from ncr_exporter.ncr.http import (
    ClientPool,
    ConnectionTrace,
    error_before_response,
    error_from,
)
from ncr_exporter.ncr.keys import Credentials, CredentialsError
from ncr_exporter.ncr.limiter import Limiter
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.ncr.responses import error_of, gateway_time
from ncr_exporter.ncr.retries import RequestRetries, RetryBudget
from ncr_exporter.ncr.signing import GatewayClock, signed_headers
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.texts import failures

_MOST_UNDECODED = 8 * 2**20
"""Bytes of an account's bodies that wait to be decoded, besides those of requests in flight."""

log = structlog.get_logger()


class ClientMetrics(Protocol):
    """What the API client reports for metrics. Calls must be cheap, and must not raise."""

    def record_attempt(
        self, registry: str, operation: Operation, seconds: float | None, reason: str | None
    ) -> None:
        """Record the end of an attempt.

        Args:
            registry: the label of the registry.
            operation: the list operation.
            seconds: from sending to the decoded response. None if nothing was sent: the circuit
                breaker is tripped, or there is no key.
            reason: `ApiError.reason`, or None if the attempt succeeded.
        """
        ...

    def record_retry(self, registry: str, operation: Operation) -> None:
        """Record that another attempt follows one that failed."""
        ...

    def record_malformed(self, registry: str, operation: Operation, records: int) -> None:
        """Record the number of malformed records and fields of a page."""
        ...

    def record_count_mismatch(self, registry: str, operation: Operation) -> None:
        """Record a listing whose distinct names differ from its `count`."""
        ...

    def record_clock_skew(self, registry: str, seconds: float) -> None:
        """Record the gateway's clock minus this host's, by a response's `Date`."""
        ...


class RequestLabels(NamedTuple):
    """The labels of requests in metrics."""

    registry: str
    operation: Operation


class _Address(NamedTuple):
    base_url: str
    target: str
    headers: Mapping[str, str]


_NO_HEADERS: Mapping[str, str] = {}
_parsed = lru_cache(maxsize=64)(httpx.URL)
"""Returns a URL; the few gateways are asked again and again."""


class _Room:
    """Room for a number of bytes, given in the order it is asked for; one may be larger alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._used = 0
        self._turn = asyncio.Lock()
        self._left = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Wait until there is room for `size` bytes, and take it until `leave`."""
        if self._turn.locked() or not self._fits(size):
            async with self._turn:
                while not self._fits(size):
                    self._left.clear()
                    await self._left.wait()
                self._used += size
        else:
            self._used += size

    def _fits(self, size: int) -> bool:
        return not self._used or self._used + size <= self._size

    def leave(self, size: int) -> None:
        """Give back the room of `size` bytes."""
        self._used -= size
        # Not at once: several bodies that come in together cost fewer iterations of the event loop
        # than one after each that left.
        if self._used <= self._size // 2:
            self._left.set()


class Transport:
    """Sends the requests of one account to the gateways of one zone. Nothing else retries."""

    def __init__(  # noqa: PLR0913 -- the parts it joins, each by name
        self,
        *,
        client_pool: ClientPool,
        credentials: Credentials,
        limiter: Limiter,
        timeout: float,
        clock: Clock,
        metrics: ClientMetrics,
        retry_budget: RetryBudget | None = None,
        gateway_clock: GatewayClock | None = None,
    ) -> None:
        """Join the parts.

        Args:
            client_pool: the HTTP clients; `close` closes them.
            credentials: the source of the key pair.
            limiter: the account's limiter.
            timeout: seconds for a whole attempt, from connecting to the last byte.
            clock: the clock to sign and to pause by.
            metrics: is told of each attempt.
            retry_budget: that of the transport which this one replaces, so that a reload does not
                refill it; None for a new one.
            gateway_clock: that of the transport which this one replaces, so that a reload does not
                forget it; None for a new one.
        """
        self.limiter = limiter
        self.retry_budget = retry_budget or RetryBudget(clock)
        self.gateway_clock = gateway_clock or GatewayClock(clock)
        self._pool = client_pool
        self._credentials = credentials
        self._timeout = timeout
        self._clock = clock
        self._metrics = metrics
        self._large_body = asyncio.Lock()
        self._decoding = asyncio.Lock()
        self._undecoded = _Room(_MOST_UNDECODED)

    async def close(self) -> None:
        """Close all connections; requests in flight fail."""
        await self._pool.aclose()

    @asynccontextmanager
    async def request(
        self,
        target: str,
        labels: RequestLabels,
        priority: Priority,
        base_url: str,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> AsyncIterator[bytes]:
        """Send a GET, with retries, and yield the body of the 200 to the block that decodes it.

        An ApiError that the block raises counts as the failure of the attempt. It is not retried.
        Blocks run one at a time, each in an iteration of the event loop of its own.

        Args:
            target: path and query.
            labels: the request's labels in metrics.
            priority: the priority among the account's waiting requests.
            base_url: scheme and host of the region's gateway.
            headers: headers beside those of the signature.

        Raises:
            ApiError: the request failed, after the retries that its errors allow.
        """
        body, sent_at = await self._send(_Address(base_url, target, headers), labels, priority)
        try:
            async with self._decoding:
                # Responses often arrive together, and all their tasks would then run in one
                # iteration of the event loop: 32 pages decoded in one made scrapes wait for 20 ms.
                # The lock lets one of them through, and the pause ends the iteration first, so that
                # a scrape gets in.
                await asyncio.sleep(0)
                yield body
        except Exception as error:
            self._metrics.record_attempt(*labels, self._since(sent_at), _reason_of(error))
            raise
        finally:
            self._undecoded.leave(len(body))
        self._metrics.record_attempt(*labels, self._since(sent_at), None)
        self.retry_budget.earn()

    async def _send(
        self, address: _Address, labels: RequestLabels, priority: Priority
    ) -> tuple[bytes, float]:
        """Return the body of a 200, and when its request was sent (monotonic seconds)."""
        retries = RequestRetries(self.retry_budget)
        while True:
            correction = self.gateway_clock.correction
            try:
                return await self._attempt(address, labels, priority)
            except ApiError as error:
                pause = retries.pause(
                    error,
                    clock_corrected=self.gateway_clock.correction != correction,
                    waits_when_throttled=self.limiter.waits_when_throttled,
                )
                if pause is None:
                    raise
            self._metrics.record_retry(*labels)
            await self._clock.sleep(pause)

    async def _attempt(
        self, address: _Address, labels: RequestLabels, priority: Priority
    ) -> tuple[bytes, float]:
        """Make one attempt within the account's limits; record it if it fails."""
        sent_at: float | None = None
        try:
            async with self.limiter.slot(labels.registry, priority):
                with self._pool.acquire(address.base_url) as http:
                    request = await self._signed(http, address)
                    sent_at = self._clock.monotonic()
                    body = await self._exchange(http, request, labels.registry)
                # Where the API answers faster than pages are decoded, bodies would pile up, up to
                # one for each image. So a request keeps its slot until there is room for its body.
                await self._undecoded.enter(len(body))
                return body, sent_at
        except Exception as error:
            if isinstance(error, AuthenticationError):
                self._credentials.record_refusal()
            self._metrics.record_attempt(*labels, self._since(sent_at), _reason_of(error))
            raise

    def _since(self, sent_at: float | None) -> float | None:
        return None if sent_at is None else self._clock.monotonic() - sent_at

    async def _signed(self, http: httpx.AsyncClient, address: _Address) -> httpx.Request:
        """Return a request, signed now: each attempt needs a signature of its own time."""
        try:
            await self._credentials.refresh()
            keys = self._credentials.current()
        except CredentialsError as error:
            raise AuthenticationError(failures.NO_KEY(detail=error.args[0])) from None
        base_url, target = _parsed(address.base_url), address.target
        url = base_url.copy_with(raw_path=target.encode("ascii"))
        request = http.build_request("GET", url)
        request.headers.update(address.headers)
        request.headers.update(
            signed_headers(
                "GET",
                request.url.raw_path.decode("ascii"),
                timestamp_ms=self.gateway_clock.now_ms(),
                access_key=keys.access_key.reveal(),
                secret_key=keys.secret_key.reveal(),
            )
        )
        return request

    async def _exchange(
        self, http: httpx.AsyncClient, request: httpx.Request, registry: str
    ) -> bytes:
        try:
            async with asyncio.timeout(self._timeout):
                response = await _response_to(request, http)
                try:
                    self._update_clock(response, registry)
                    return await self._body(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise DeadlineError(failures.NOT_IN_TIME(seconds=self._timeout)) from None
        except (httpx.HTTPError, OSError) as error:  # OSError: TLS errors that httpx lets through
            raise error_from(error) from None

    async def _body(self, response: httpx.Response) -> bytes:
        """Return the body of a 200; tell the limiter of the response.

        Raises:
            ApiError: the status is another, or the body cannot be used.
        """
        encoding = response.headers.get("content-encoding", "")
        try:
            body = await read_body(response.aiter_raw(), encoding, self._large_body)
        except (MalformedError, TooLargeError):
            if response.status_code == HTTPStatus.OK:
                raise
            body = b""  # the status says enough
        error = error_of(response.status_code, response.headers, body)
        if isinstance(error, ThrottledError):
            self.limiter.record_throttling(error.retry_after)
        else:
            self.limiter.record_response()
        if error is not None:
            raise error
        return body

    def _update_clock(self, response: httpx.Response, registry: str) -> None:
        date = gateway_time(response.headers)
        if date is None:
            return
        changed = self.gateway_clock.update(date)
        skew = self.gateway_clock.skew
        self._metrics.record_clock_skew(registry, skew)
        if changed:
            log.warning(
                "clock differs from the API's; signing, ages and staleness go by the API's clock"
                if self.gateway_clock.correction
                else "clock agrees with the API's again",
                registry=registry,
                skew_seconds=round(skew),
                remedy="synchronise this host's clock (NTP)",
            )


def _reason_of(error: Exception) -> str:
    """Return the label `reason` of an attempt that raised `error`, an ApiError or a bug's."""
    return error.reason if isinstance(error, ApiError) else ApiError.reason


async def _response_to(request: httpx.Request, http: httpx.AsyncClient) -> httpx.Response:
    """Send a request and return the response, of which only the headers are read.

    Raises:
        ApiError: the connection cannot be made, or broke before the headers.
    """
    trace = request.extensions["trace"] = ConnectionTrace()
    try:
        return await http.send(request, stream=True)
    except (httpx.HTTPError, ssl.SSLError) as error:
        raise error_before_response(error, trace) from None
