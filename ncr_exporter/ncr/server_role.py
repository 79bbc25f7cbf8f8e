"""The key of the role that a server was given, from the metadata service of its host.

Only asked where the configuration says so by name: the address and the answer's form are those of
another large cloud too, and a program must not hand out or take up keys that nobody meant for it.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import msgspec

from ncr_exporter.config import Secret
from ncr_exporter.ncr.keys import Credentials, CredentialsError, KeyPair
from ncr_exporter.runtime.clock import Clock

_ENDPOINT = "http://169.254.169.254"
_VARIABLE = "NCLOUD_METADATA_API_ENDPOINT"
_PATH = "/latest/meta-data/iam/security-credentials/"
_TIMEOUT = 3.0
_LARGEST = 64 * 1024
_EARLY = 300.0
"""Seconds before a key expires at which another is asked for; also for one that does not tell."""
_ASK_AGAIN = 10.0
"""Seconds after a failure, while the key at hand is good: an outage there must not slow polls."""
_LONGEST_TRUST = 900.0
"""Seconds until it is asked whether there is another: our clock may be hours behind the key's."""


class _Answer(msgspec.Struct):
    """What the service says of a role."""

    access_key: str = msgspec.field(name="AccessKeyId", default="")
    secret_key: str = msgspec.field(name="SecretAccessKey", default="")
    expiration: str | None = msgspec.field(name="Expiration", default=None)
    code: str = msgspec.field(name="Code", default="")


class ServerRole(Credentials):
    """Asks for a key when one is needed, and again before it expires."""

    source = "server_role"

    def __init__(self, environ: Mapping[str, str], clock: Clock) -> None:
        self._endpoint = environ.get(_VARIABLE, _ENDPOINT).rstrip("/")
        self._clock = clock
        self._pair: KeyPair | None = None
        self._expires = 0.0
        """By the wall clock."""
        self._ask_at = float("-inf")
        """By the monotonic one: the wall clock, set back, must not put it off."""
        self._turn = asyncio.Lock()

    async def ready(self) -> None:
        """Ask for a key where none is at hand, or where it expires soon.

        Raises:
            CredentialsError: none can be had, and the one at hand has expired.
        """
        async with self._turn:
            if self._clock.monotonic() < self._ask_at:
                return
            try:
                answer = await self._asked()
                self._pair = KeyPair(Secret(answer.access_key), Secret(answer.secret_key))
            except CredentialsError:
                if self._pair is None or self._clock.time() >= self._expires:
                    self._pair = None
                    raise
                self._ask_at = self._clock.monotonic() + _ASK_AGAIN
            else:
                self._note_expiry(answer.expiration)

    def current(self) -> KeyPair:
        """Return the key pair that `ready` found."""
        if self._pair is None:
            raise CredentialsError("the server's role has given no key yet")
        return self._pair

    def _note_expiry(self, expiration: str | None) -> None:
        now = self._clock.time()
        self._expires = _moment(expiration) or now + 2 * _EARLY
        trust = min(max(self._expires - _EARLY - now, _ASK_AGAIN), _LONGEST_TRUST)
        self._ask_at = self._clock.monotonic() + trust

    async def _asked(self) -> _Answer:
        roles = (await self._get("")).decode("utf-8", "replace").split()
        if not roles:
            raise self._error("names no role; give this server one, or configure a key")
        body = await self._get(quote(roles[0], safe=""))
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._error("answered no key; is it NAVER Cloud's?") from None
        if not answer.access_key or not answer.secret_key:
            code = "".join(char for char in answer.code[:40] if char.isalnum())
            raise self._error(f"gave no key{f' ({code})' if code else ''}; check the role")
        return answer

    async def _get(self, name: str) -> bytes:
        """Return a body; no proxy, no redirect, and little time: it is a neighbour."""
        try:
            async with (
                asyncio.timeout(_TIMEOUT),
                httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None) as http,  # noqa: S113 -- the deadline around it covers all
                http.stream("GET", f"{self._endpoint}{_PATH}{name}") as response,
            ):
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _LARGEST:
                        raise self._error("answered more than any key needs")
        except TimeoutError:
            raise self._error(f"did not answer within {_TIMEOUT:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            raise self._error("cannot be reached; is this a server of NAVER Cloud?") from None
        if response.status_code != httpx.codes.OK:
            raise self._error(f"answered HTTP {response.status_code}")
        return body

    def _error(self, what: str) -> CredentialsError:
        return CredentialsError(f"the metadata service for source: server_role {what}")


def _moment(text: str | None) -> float | None:
    """Return a time in seconds since the epoch; None where it cannot be read, as a leap second.

    A key is not worth less for it.
    """
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
