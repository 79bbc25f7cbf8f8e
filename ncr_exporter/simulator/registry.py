"""The simulated registry: a handler for `ncr_exporter.httpd.server.Server`.

It behaves as documented for the API gateway and the service behind it. Where the documentation is
silent it does something plausible, on which the exporter must not rely: the largest page, a page
past the end, the order of the gateway's checks.
"""

import asyncio
import hmac
import itertools
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from urllib.parse import parse_qsl

from ncr_exporter.config.zones import V3_PREFIX
from ncr_exporter.httpd.messages import Request, Response
from ncr_exporter.ncr.paths import V2_PATHS, V3_PATHS, ListPath, parse_path
from ncr_exporter.ncr.signing import signature
from ncr_exporter.ncr.vocabulary import (
    ACCESS_KEY_HEADER,
    REQUEST_ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    TRACE_HEADER,
)
from ncr_exporter.recording.reading import RecordedResponse, Recording
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.simulator import v3
from ncr_exporter.simulator.api_records import JsonRecord
from ncr_exporter.simulator.data import FixedSource, Source
from ncr_exporter.simulator.faults import NO_FAULT, Fault, FaultPlan
from ncr_exporter.simulator.responses import (
    compressed,
    gateway_error,
    page_of,
    with_headers,
)

DEMO_ACCESS_KEY = "DEMOACCESSKEY"
DEMO_SECRET_KEY = "demo-secret-key"  # noqa: S105 -- opens nothing but the demo
ROTATED_SECRET_KEY = "rotated-secret-key"  # noqa: S105 -- opens nothing but the demo
"""Every secret key after the fault `rotated-key`."""
_WINDOW_MS = 5 * 60 * 1000
_DEFAULT_PAGE = "20"
_REMEMBERED = 10_000
_DIGITS = re.compile(r"\d{1,15}", re.ASCII)


@dataclass(frozen=True)
class AnsweredRequest:
    """A request, and the status of the response to it."""

    method: str
    target: str
    at: float
    """When it came, by the registry's clock (s since the epoch)."""
    status: int
    """0 if the response was no complete HTTP response."""


class SimulatedRegistry:
    """Serves the lists of `source` to clients that sign with one of `keys`.

    Attributes:
        keys: access key → secret key.
        requests: the last 10,000 requests, the newest last.
        fault: the fault of every request that no rule of `faults` matches.
        faults: the faults of some targets, or of the next few requests.
        denied: access keys that are valid but have no permission.
        clock_offset: seconds that the gateway's clock is ahead of `clock`. It decides whether a
            signature is accepted, and the Date header.
        delay: seconds of real time before every response.
        envelope: the envelope of pages of version 3, a name in `v3.ENVELOPES`.
    """

    def __init__(
        self,
        source: Source,
        *,
        keys: Mapping[str, str],
        clock: Clock,
        largest_page: int = 100,
        prefix: str = "/ncr/api/v2",
    ) -> None:
        """Begin without faults.

        Args:
            source: the records of the lists.
            keys: access key → secret key.
            clock: the time of the records, and of the gateway.
            largest_page: the most records on a page, however many are requested.
            prefix: the path prefix of the only region that is served in version 2. Version 3 is
                served too; its regions differ in hosts alone.
        """
        self.keys = keys
        self.requests: deque[AnsweredRequest] = deque(maxlen=_REMEMBERED)
        self.fault: Fault | None = None
        self.faults = FaultPlan()
        self.denied: set[str] = set()
        self.clock_offset = 0.0
        self.delay = 0.0
        self.envelope = v3.USUAL
        self._source = source
        self._clock = clock
        self._largest_page = largest_page
        self._prefix = prefix
        self._numbers = itertools.count(1)

    async def handle(self, request: Request) -> Response:
        """Return the response to one request, after the delay and with the fault that apply."""
        now = self._clock.time()
        fault = self.faults.take(request.target) or self.fault or NO_FAULT
        headers = self._date(fault) | self._ids(request)
        if fault.rotates_key:
            self._rotate_key(request)
        response = with_headers(self._response(request, fault), headers)
        response = with_headers(fault.apply(request, response), headers)
        status = 0 if response.takeover else response.status
        self.requests.append(AnsweredRequest(request.method, request.target, now, status))
        await asyncio.sleep(self.delay + fault.seconds)
        # A gateway dates a response when it sends it: a slow one must not look like a wrong clock.
        # That of a cache, which has an age, keeps its date.
        dated = {} if "age" in response.headers else self._date(fault)
        sent = replace(response, headers={**response.headers, **dated})
        return compressed(sent, request.headers.get("accept-encoding", ""))

    def _ids(self, request: Request) -> dict[str, str]:
        number = f"demo-{next(self._numbers):08d}"
        return {TRACE_HEADER: number, **({REQUEST_ID_HEADER: number} if v3.is_v3(request) else {})}

    def _date(self, fault: Fault) -> dict[str, str]:
        return {"date": formatdate(self._gateway_time(fault), usegmt=True)}

    def _gateway_time(self, fault: Fault) -> float:
        return self._clock.time() + self.clock_offset + fault.clock_offset

    def _rotate_key(self, request: Request) -> None:
        """Replace all secret keys if the request is for a second page, in the middle of a list."""
        first = "0" if v3.is_v3(request) else "1"
        page = V3_PATHS.page if v3.is_v3(request) else V2_PATHS.page
        if request.query.get(page, first) != first:
            self.keys = dict.fromkeys(self.keys, ROTATED_SECRET_KEY)

    def _response(self, request: Request, fault: Fault) -> Response:
        path = self._list_at(request)
        if path is None:
            return gateway_error(404, "300", "Not Found Exception", "URL not found.")
        refusal = self._refusal(request, self._gateway_time(fault))
        if refusal is not None:
            return refusal
        try:
            records = self._listed(path, self._clock.time() * 1000)
        except KeyError as error:
            return v3.service_error_to(request, 404, f"{error.args[0]} does not exist")
        query = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
        if path.style is V3_PATHS:
            return self._v3_page(path, records, request, query, fault)
        return self._page(records, request, query, fault)

    def _list_at(self, request: Request) -> ListPath | None:
        """Return the list that a GET requests; None if there is none at this path and region."""
        if request.method != "GET":
            return None
        style, prefix = (V3_PATHS, V3_PREFIX) if v3.is_v3(request) else (V2_PATHS, self._prefix)
        path = parse_path(request.path, style)
        return path if path is not None and path.prefix == prefix else None

    def _refusal(self, request: Request, now: float) -> Response | None:
        """Return the gateway's error for a request that is not signed as documented, else None.

        Args:
            request: the request to check.
            now: the gateway's time (s since the epoch).
        """
        timestamp = request.headers.get(TIMESTAMP_HEADER, "")
        access_key = request.headers.get(ACCESS_KEY_HEADER, "")
        signed = request.headers.get(SIGNATURE_HEADER, "")
        if not (timestamp and access_key and signed):
            return _unauthenticated("Authentication information are missing.")
        if not self._is_recent(timestamp, now):
            return _unauthenticated("The timestamp is more than 5 minutes off.")
        secret = self.keys.get(access_key)
        if secret is None:
            return _unauthenticated("Invalid authentication information.")
        expected = signature(request.method, request.target, timestamp, access_key, secret)
        if not hmac.compare_digest(expected.encode(), signed.encode()):
            return _unauthenticated("Invalid authentication information.")
        if access_key in self.denied:
            return gateway_error(401, "210", "Permission Denied")
        return None

    def _is_recent(self, timestamp: str, now: float) -> bool:
        signed_ms = _positive(timestamp)
        return signed_ms is not None and abs(now * 1000 - signed_ms) <= _WINDOW_MS

    def _listed(self, path: ListPath, now_ms: float) -> list[JsonRecord]:
        registry, image = path.registry or "", path.image or ""
        match path.operation:
            case "registry_list":
                return self._source.registries(now_ms)
            case "image_list":
                return self._source.images(registry, now_ms)
            case "tag_list":
                return self._source.tags(registry, image, now_ms)

    def _page(
        self,
        records: list[JsonRecord],
        request: Request,
        query: Mapping[str, str],
        fault: Fault,
    ) -> Response:
        number = _positive(query.get(V2_PATHS.page, "1"))
        size = _positive(query.get(V2_PATHS.page_size, _DEFAULT_PAGE))
        if number is None or size is None:
            names = f"{V2_PATHS.page} and {V2_PATHS.page_size}"
            return v3.service_error_to(request, 400, f"{names} must be numbers above 0")
        return page_of(fault.relist(records, number), number, min(size, self._largest_page))

    def _v3_page(
        self,
        path: ListPath,
        records: list[JsonRecord],
        request: Request,
        query: Mapping[str, str],
        fault: Fault,
    ) -> Response:
        asked = v3.page_request(request, path.operation, query)
        if isinstance(asked, Response):
            return asked
        number, size, order = asked
        translated = [v3.record_of(path.operation, each) for each in records]
        if path.operation == "image_list":
            translated = [self._with_pull(path.registry or "", each) for each in translated]
        listed = fault.relist(v3.in_order(translated, order), number + 1)
        size = min(size, self._largest_page)
        return v3.page_of(path.operation, listed, number, size, self.envelope)

    def _with_pull(self, registry: str, image: JsonRecord) -> JsonRecord:
        """Return an image's record with its last pull, which follows from its tags."""
        try:
            tags = self._source.tags(registry, image["name"], self._clock.time() * 1000)
        except KeyError:  # listed, and gone already
            return image
        return v3.pulled_record(image, tags)


def _unauthenticated(details: str) -> Response:
    return gateway_error(401, "200", "Authentication Failed", details)


def _positive(text: str) -> int | None:
    return int(text) or None if _DIGITS.fullmatch(text) else None


_NOT_REPLAYED = {"date", "content-length", "content-encoding", "transfer-encoding", "connection"}
"""Headers that are set when sending. The recorded date would look like a wrong clock."""


class ReplayedRegistry(SimulatedRegistry):
    """Serves recorded responses to signed requests.

    Several responses to one request are served in their order, and the last one from then on.
    """

    def __init__(self, recording: Recording, *, keys: Mapping[str, str], clock: Clock) -> None:
        super().__init__(FixedSource("", {}), keys=keys, clock=clock)
        self._left = {target: list(rest) for target, rest in recording.responses.items()}

    def _response(self, request: Request, fault: Fault) -> Response:
        refusal = self._refusal(request, self._gateway_time(fault))
        if refusal is not None:
            return refusal
        left = self._left.get(request.target)
        if not left:
            return gateway_error(404, "300", "Not Found Exception", "Not in the recording.")
        return _replayed(left[0] if len(left) == 1 else left.pop(0))


def _replayed(recorded: RecordedResponse) -> Response:
    kept = {name: text for name, text in recorded.headers.items() if name not in _NOT_REPLAYED}
    return Response(recorded.status, kept, (recorded.body,), len(recorded.body))
