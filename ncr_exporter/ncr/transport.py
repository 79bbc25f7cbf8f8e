"""One signed GET: deadline, caps, retries, and what is learned from the answer's headers."""

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
from ncr_exporter.ncr.retries import Attempts, RetryBudget
from ncr_exporter.ncr.signing import GatewayClock, signed_headers
from ncr_exporter.runtime.clock import Clock

log = structlog.get_logger()


class ClientMetrics(Protocol):
    """Told of every attempt. All calls are cheap and must not raise."""

    def attempt(
        self, registry: str, operation: Operation, seconds: float | None, reason: str | None
    ) -> None:
        """One attempt ended after `seconds`; `reason` is None where it succeeded.

        `seconds` is None where nothing was sent: the gate is closed, or there is no key.
        """
        ...

    def retry(self, registry: str, operation: Operation) -> None:
        """Another attempt follows one that failed."""
        ...

    def malformed(self, registry: str, operation: Operation, records: int) -> None:
        """So many records or fields of an answer were left out."""
        ...

    def miscounted(self, registry: str, operation: Operation) -> None:
        """A listing's distinct names differ from its `count`, twice."""
        ...

    def clock_skew(self, registry: str, seconds: float) -> None:
        """The gateway's clock minus ours, by an answer's `Date`."""
        ...


class RequestLabels(NamedTuple):
    """What requests are counted by."""

    registry: str
    operation: Operation


class Transport:
    """Sends the GETs of one account to one gateway. The only place that retries."""

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
        retries: RetryBudget | None = None,
    ) -> None:
        """`retries` is the budget of a transport before this one: no reload may bring a new one."""
        self.limiter = limiter
        self.retries = retries or RetryBudget()
        self.gateway_clock = GatewayClock(clock)
        self._pool = client_pool
        self._base_url = httpx.URL(base_url)
        self._credentials = credentials
        self._timeout = timeout
        self._clock = clock
        self._metrics = metrics
        self._large = asyncio.Lock()
        self._reading = asyncio.Lock()

    async def close(self) -> None:
        """Close all connections, whatever is under way."""
        await self._pool.aclose()

    @asynccontextmanager
    async def request(
        self, target: str, labels: RequestLabels, priority: Priority
    ) -> AsyncIterator[bytes]:
        """Give the body of a 200 to the block that reads it; retry where the error allows it.

        An ApiError that the block raises is the request's failure, and is counted as such. Blocks
        run one at a time, each in a turn of the event loop of its own.

        Raises:
            ApiError: after the retries that this kind of error is given.
        """
        body, sent_at = await self._body(target, labels, priority)
        async with self._reading:
            # Of answers that came together each has a turn to itself: 32 of them read in one turn
            # kept scrapes waiting for 20 ms.
            await asyncio.sleep(0)
            try:
                yield body
            except ApiError as error:
                self._metrics.attempt(*labels, self._since(sent_at), error.reason)
                raise
        self._metrics.attempt(*labels, self._since(sent_at), None)
        self.retries.earn()

    async def _body(
        self, target: str, labels: RequestLabels, priority: Priority
    ) -> tuple[bytes, float]:
        """Return the body of a 200, and when the request was sent (monotonic seconds)."""
        attempts = Attempts(self.retries)
        while True:
            correction = self.gateway_clock.correction
            try:
                return await self._attempt(target, labels, priority)
            except ApiError as error:
                signed_off = self.gateway_clock.correction != correction
                patient = self.limiter.is_patient
                pause = attempts.pause(error, signed_off=signed_off, patient=patient)
                if pause is None:
                    raise
            self._metrics.retry(*labels)
            await self._clock.sleep(pause)

    async def _attempt(
        self, target: str, labels: RequestLabels, priority: Priority
    ) -> tuple[bytes, float]:
        """Make one attempt within the limits; one that fails is counted."""
        sent_at: float | None = None
        try:
            async with self.limiter.slot(labels.registry, priority):
                with self._pool.acquire() as http:
                    request = await self._signed(http, target)
                    sent_at = self._clock.monotonic()
                    return await self._exchange(http, request, labels.registry), sent_at
        except ApiError as error:
            self._metrics.attempt(*labels, self._since(sent_at), error.reason)
            raise

    def _since(self, sent_at: float | None) -> float | None:
        return None if sent_at is None else self._clock.monotonic() - sent_at

    async def _signed(self, http: httpx.AsyncClient, path_and_query: str) -> httpx.Request:
        """Return a request signed now: a signature is good for one moment and one attempt."""
        try:
            await self._credentials.ready()
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
                    self._learn_clock(response, registry)
                    return await self._content(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            message = f"no complete answer within {self._timeout:g} s"
            raise DeadlineError(message) from None
        except httpx.HTTPError as error:
            raise error_from(error) from None

    async def _content(self, response: httpx.Response) -> bytes:
        encoding = response.headers.get("content-encoding", "")
        try:
            body = await read_body(response.aiter_raw(), encoding, self._large)
        except (MalformedError, TooLargeError):
            if response.status_code == HTTPStatus.OK:
                raise
            body = b""  # the status alone says enough
        error = error_of(response.status_code, response.headers, body)
        if isinstance(error, ThrottledError):
            self.limiter.throttled(error.retry_after)
        else:
            self.limiter.answered()
        if error is not None:
            raise error
        return body

    def _learn_clock(self, response: httpx.Response, registry: str) -> None:
        date = date_of(response.headers)
        if date is None:
            return
        changed = self.gateway_clock.learn(date)
        skew = self.gateway_clock.skew
        self._metrics.clock_skew(registry, skew)
        if changed:
            log.warning(
                "clock differs from the API's; signing by the API's clock"
                if self.gateway_clock.correction
                else "clock agrees with the API's again",
                registry=registry,
                skew_seconds=round(skew),
                remedy="synchronise this host's clock (NTP)",
            )
