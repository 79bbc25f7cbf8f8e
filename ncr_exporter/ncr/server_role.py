"""The key pair of a server's role, from the metadata service of its host.

The service is asked only if the configuration says so. Another large cloud has the same address and
the same format, and its keys must not be used by accident.

Source: the vendor's official SDKs, for address, path, format and timeout.
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
_TIMEOUT = 3.0  # seconds
_MAX_BYTES = 64 * 1024
_RENEW_BEFORE = 300.0
"""Seconds before its expiry at which a key is renewed. A key without an expiry lives twice that."""
_RETRY_AFTER = 10.0
"""Seconds after a failure, while the key is still valid: an outage must not slow polls down."""
_RENEW_AFTER = 900.0
"""Seconds after which any key is renewed: this host's clock may be hours behind the key's."""


class _RoleKey(msgspec.Struct):
    """The metadata service's response for a role."""

    access_key: str = msgspec.field(name="AccessKeyId", default="")
    secret_key: str = msgspec.field(name="SecretAccessKey", default="")
    expiration: str | None = msgspec.field(name="Expiration", default=None)
    code: str = msgspec.field(name="Code", default="")


class ServerRole(Credentials):
    """The key pair of this server's role, renewed before it expires."""

    source = "server_role"

    def __init__(self, environ: Mapping[str, str], clock: Clock) -> None:
        """Start without a key.

        Args:
            environ: may hold another address in NCLOUD_METADATA_API_ENDPOINT.
            clock: wall time for the expiry, monotonic time for when to ask.
        """
        given = environ.get(_VARIABLE)
        self._endpoint = (given or _ENDPOINT).rstrip("/")
        self._remedy = f"check {_VARIABLE}" if given else "is this a server of NAVER Cloud?"
        self._clock = clock
        self._pair: KeyPair | None = None
        self._expires = 0.0
        """Wall time, in seconds since the epoch."""
        self._renew_at = float("-inf")
        """Monotonic seconds: setting the wall clock back must not delay it."""
        self._renewing = asyncio.Lock()

    async def refresh(self) -> None:
        """Get a key if there is none yet, or if it is to be renewed.

        Raises:
            CredentialsError: the service gives no key, and there is none that is still valid.
        """
        async with self._renewing:
            if self._clock.monotonic() < self._renew_at:
                return
            try:
                key = await self._fetch_key()
                self._pair = self._usable(key)
            except CredentialsError:
                if self._pair is None or self._clock.time() >= self._expires:
                    self._pair = None
                    raise
                self._renew_at = self._clock.monotonic() + _RETRY_AFTER
            else:
                self._set_expiry(key.expiration)

    def current(self) -> KeyPair:
        """Return the key pair that `refresh` got.

        Raises:
            CredentialsError: there is none yet.
        """
        if self._pair is None:
            raise CredentialsError("the server's role has given no key yet")
        return self._pair

    def _set_expiry(self, expiration: str | None) -> None:
        now = self._clock.time()
        self._expires = _moment(expiration) or now + 2 * _RENEW_BEFORE
        delay = min(max(self._expires - _RENEW_BEFORE - now, _RETRY_AFTER), _RENEW_AFTER)
        self._renew_at = self._clock.monotonic() + delay

    async def _fetch_key(self) -> _RoleKey:
        roles = (await self._get("")).decode("utf-8", "replace").split()
        if not roles:
            raise self._error("names no role; give this server one, or configure a key")
        body = await self._get(quote(roles[0], safe=""))
        try:
            key = msgspec.json.decode(body, type=_RoleKey)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._error(f"returned no key; {self._remedy}") from None
        if not key.access_key or not key.secret_key:
            code = "".join(char for char in key.code[:40] if char.isalnum())
            raise self._error(f"returned no key{f' ({code})' if code else ''}; check the role")
        return key

    def _usable(self, key: _RoleKey) -> KeyPair:
        try:
            return KeyPair(Secret(key.access_key), Secret(key.secret_key))
        except CredentialsError:
            raise self._error(f"returned characters that no key has; {self._remedy}") from None

    async def _get(self, name: str) -> bytes:
        """Return the body at a role's path; of the list of roles if `name` is empty."""
        try:
            async with (
                asyncio.timeout(_TIMEOUT),
                httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None) as http,  # noqa: S113 -- the deadline around it covers all
                http.stream("GET", f"{self._endpoint}{_PATH}{name}") as response,
            ):
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _MAX_BYTES:
                        raise self._error(f"returned more than {_MAX_BYTES} bytes")
        except TimeoutError:
            raise self._error(f"did not answer within {_TIMEOUT:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            raise self._error(f"cannot be reached; {self._remedy}") from None
        if response.status_code != httpx.codes.OK:
            raise self._error(f"answered HTTP {response.status_code}")
        return body

    def _error(self, message: str) -> CredentialsError:
        return CredentialsError(f"the metadata service for source: server_role {message}")


def _moment(text: str | None) -> float | None:
    """Return an RFC 3339 time in seconds since the epoch, or None if it cannot be parsed.

    A key with such an expiry, as with a leap second, is used like one without.
    """
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
