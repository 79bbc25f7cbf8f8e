"""Signed GET requests, with deadline, caps and retries; the gateway's clock, from responses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import NamedTuple, Protocol

import httpx
import structlog

from ncr_exporter.ncr.errors import (
    ApiError,
    AuthenticationError,
    DeadlineError,
    MalformedError,
    ThrottledError,
    TooLargeError,
)
from ncr_exporter.ncr.fair_queue import Priority
from ncr_exporter.ncr.http import ClientPool, error_from, read_body
from ncr_exporter.ncr.keys import Credentials, CredentialsError
from ncr_exporter.ncr.limiter import Limiter
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.ncr.responses import date_of, error_of
from ncr_exporter.ncr.retries import RequestRetries, RetryBudget
from ncr_exporter.ncr.signing import GatewayClock, signed_headers
from ncr_exporter.runtime.clock import Clock

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
        """Record a list whose distinct names differed from its `count` twice."""
        ...

    def record_clock_skew(self, registry: str, seconds: float) -> None:
        """Record the gateway's clock minus this host's, by a response's `Date`."""
        ...


class RequestLabels(NamedTuple):
    """The labels of requests in metrics."""

    registry: str
    operation: Operation


class Transport:
    """Sends the requests of one account to one gateway. Nothing else retries."""

    def __init__(  # noqa: PLR0913 -- the parts it joins, each by name
        self,
        *,
        client_pool: ClientPool,
        base_url: str,
        credentials: Credentials,
        limiter: Limiter,
        timeout: float,
        clock: Clock,
        metrics: ClientMetrics,
        retry_budget: RetryBudget | None = None,
    ) -> None:
        """Join the parts.

        Args:
            client_pool: the HTTP clients; `close` closes them.
            base_url: scheme and host of the gateway.
            credentials: the source of the key pair.
            limiter: the account's limiter.
            timeout: seconds for a whole attempt, from connecting to the last byte.
            clock: the clock to sign and to pause by.
            metrics: is told of each attempt.
            retry_budget: that of the transport which this one replaces, so that a reload does not
                refill it; None for a new one.
        """
        self.limiter = limiter
        self.retry_budget = retry_budget or RetryBudget()
        self.gateway_clock = GatewayClock(clock)
        self._pool = client_pool
        self._base_url = httpx.URL(base_url)
        self._credentials = credentials
        self._timeout = timeout
        self._clock = clock
        self._metrics = metrics
        self._large_body = asyncio.Lock()
        self._decoding = asyncio.Lock()

    async def close(self) -> None:
        """Close all connections; requests in flight fail."""
        await self._pool.aclose()

    @asynccontextmanager
    async def request(
        self, target: str, labels: RequestLabels, priority: Priority
    ) -> AsyncIterator[bytes]:
        """Send a GET, with retries, and yield the body of the 200 to the block that decodes it.

        An ApiError that the block raises counts as the failure of the attempt. It is not retried.
        Blocks run one at a time, each in an iteration of the event loop of its own.

        Args:
            target: path and query.
            labels: the request's labels in metrics.
            priority: the priority among the account's waiting requests.

        Raises:
            ApiError: the request failed, after the retries that its errors allow.
        """
        body, sent_at = await self._send(target, labels, priority)
        async with self._decoding:
            # Responses often arrive together, and all their tasks would then run in one iteration
            # of the event loop: 32 pages decoded in one made scrapes wait for 20 ms. The lock lets
            # one of them through, and the pause ends the iteration first, so that a scrape gets in.
            await asyncio.sleep(0)
            try:
                yield body
            except ApiError as error:
                self._metrics.record_attempt(*labels, self._since(sent_at), error.reason)
                raise
        self._metrics.record_attempt(*labels, self._since(sent_at), None)
        self.retry_budget.earn()

    async def _send(
        self, target: str, labels: RequestLabels, priority: Priority
    ) -> tuple[bytes, float]:
        """Return the body of a 200, and when its request was sent (monotonic seconds)."""
        retries = RequestRetries(self.retry_budget)
        while True:
            correction = self.gateway_clock.correction
            try:
                return await self._attempt(target, labels, priority)
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
        self, target: str, labels: RequestLabels, priority: Priority
    ) -> tuple[bytes, float]:
        """Make one attempt within the account's limits; record it if it fails."""
        sent_at: float | None = None
        try:
            async with self.limiter.slot(labels.registry, priority):
                with self._pool.acquire() as http:
                    request = await self._signed(http, target)
                    sent_at = self._clock.monotonic()
                    return await self._exchange(http, request, labels.registry), sent_at
        except ApiError as error:
            if isinstance(error, AuthenticationError):
                self._credentials.record_refusal()
            self._metrics.record_attempt(*labels, self._since(sent_at), error.reason)
            raise

    def _since(self, sent_at: float | None) -> float | None:
        return None if sent_at is None else self._clock.monotonic() - sent_at

    async def _signed(self, http: httpx.AsyncClient, path_and_query: str) -> httpx.Request:
        """Return a request, signed now: each attempt needs a signature of its own time."""
        try:
            await self._credentials.refresh()
            keys = self._credentials.current()
        except CredentialsError as error:
            raise AuthenticationError(f"no key to sign with: {error}") from None
        url = self._base_url.copy_with(raw_path=path_and_query.encode("ascii"))
        request = http.build_request("GET", url)
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
                response = await http.send(request, stream=True)
                try:
                    self._update_clock(response, registry)
                    return await self._body(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            message = f"no complete answer within {self._timeout:g} s"
            raise DeadlineError(message) from None
        except httpx.HTTPError as error:
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
        date = date_of(response.headers)
        if date is None:
            return
        changed = self.gateway_clock.update(date)
        skew = self.gateway_clock.skew
        self._metrics.record_clock_skew(registry, skew)
        if changed:
            log.warning(
                "clock differs from the API's; signing by the API's clock"
                if self.gateway_clock.correction
                else "clock agrees with the API's again",
                registry=registry,
                skew_seconds=round(skew),
                remedy="synchronise this host's clock (NTP)",
            )
