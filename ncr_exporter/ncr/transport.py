"""One signed GET: deadline, caps, retries, and what is learned from the answer's headers."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Literal, NamedTuple, Protocol, TypeVar

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
from ncr_exporter.ncr.fair_queue import Urgency
from ncr_exporter.ncr.http import Lanes, error_from, read_body
from ncr_exporter.ncr.keys import Credentials, CredentialsError
from ncr_exporter.ncr.limiter import Limiter
from ncr_exporter.ncr.responses import date_of, error_of
from ncr_exporter.ncr.retries import Attempts, RetryBudget
from ncr_exporter.ncr.signing import GatewayClock, signed_headers
from ncr_exporter.runtime.clock import Clock

Operation = Literal["registry_list", "image_list", "tag_list"]


class Observer(Protocol):
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


Result = TypeVar("Result")

log = structlog.get_logger()


class Purpose(NamedTuple):
    """What requests are counted by."""

    registry: str
    operation: Operation


class Transport:
    """Sends the GETs of one account to one gateway. The only place that retries."""

    def __init__(  # noqa: PLR0913 -- the parts it joins, each by name
        self,
        *,
        lanes: Lanes,
        base_url: str,
        credentials: Credentials,
        limiter: Limiter,
        timeout: float,
        clock: Clock,
        observer: Observer,
        retries: RetryBudget | None = None,
    ) -> None:
        """`retries` is the budget of a transport before this one: no reload may bring a new one."""
        self.limiter = limiter
        self.retries = retries or RetryBudget()
        self.gateway_clock = GatewayClock(clock)
        self._lanes = lanes
        self._base_url = httpx.URL(base_url)
        self._credentials = credentials
        self._timeout = timeout
        self._clock = clock
        self._observer = observer
        self._large = asyncio.Lock()
        self._reading = asyncio.Lock()

    async def close(self) -> None:
        """Close all connections, whatever is under way."""
        await self._lanes.aclose()

    async def get(
        self,
        path_and_query: str,
        purpose: Purpose,
        urgency: Urgency,
        accept: Callable[[bytes], Result],
    ) -> Result:
        """Return what `accept` makes of the body of a 200.

        What `accept` finds wrong is the request's failure too, and counted as such.

        Raises:
            ApiError: after the retries that this kind of error is given.
        """
        attempts = Attempts(self.retries)
        while True:
            correction = self.gateway_clock.correction
            try:
                result = await self._attempt(path_and_query, purpose, urgency, accept)
            except ApiError as error:
                signed_off = self.gateway_clock.correction != correction
                patient = self.limiter.is_patient
                pause = attempts.pause(error, signed_off=signed_off, patient=patient)
                if pause is None:
                    raise
            else:
                self.retries.earn()
                return result
            self._observer.retry(*purpose)
            await self._clock.sleep(pause)

    async def _attempt(
        self,
        path_and_query: str,
        purpose: Purpose,
        urgency: Urgency,
        accept: Callable[[bytes], Result],
    ) -> Result:
        """Make one attempt within the limits and tell the observer how it went."""
        sent_at: float | None = None
        try:
            async with self.limiter.turn(purpose.registry, urgency):
                with self._lanes.lane() as http:
                    request = await self._signed(http, path_and_query)
                    sent_at = self._clock.monotonic()
                    body = await self._exchange(http, request, purpose.registry)
            async with self._reading:
                # While it is held: of answers that came together, each has a turn of the event
                # loop to itself; 32 of them read in one turn kept scrapes waiting for 20 ms.
                await asyncio.sleep(0)
                result = accept(body)
        except ApiError as error:
            self._observer.attempt(*purpose, self._since(sent_at), error.reason)
            raise
        self._observer.attempt(*purpose, self._since(sent_at), None)
        return result

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
        self._observer.clock_skew(registry, skew)
        if changed:
            log.warning(
                "clock differs from the API's; signing by the API's clock"
                if self.gateway_clock.correction
                else "clock agrees with the API's again",
                registry=registry,
                skew_seconds=round(skew),
                remedy="synchronise this host's clock (NTP)",
            )
