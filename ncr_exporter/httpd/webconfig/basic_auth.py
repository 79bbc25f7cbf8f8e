"""HTTP Basic authentication against bcrypt hashes.

To compute a bcrypt hash takes 70 ms and more, on purpose. So it is computed in a thread, once for
each password. A flood of wrong passwords then delays neither the event loop nor known users.
"""

import asyncio
import binascii
import hmac
import secrets
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import bcrypt

from ncr_exporter.config.secret import Secret
from ncr_exporter.httpd.messages import Response, text_response

_THREADS = 1
"""Hashes computed at a time: the rest of the machine is for scrapes."""
_MAX_WAITING = 32
"""Passwords being checked or waiting for it: about two seconds' work at bcrypt's usual cost, 10."""
_MAX_REMEMBERED = 1024
"""Right passwords remembered, and as many wrong ones."""
_MAX_BYTES = 72
"""Bytes of a password that bcrypt hashes. Go ignores the rest; Python's bcrypt refuses it."""
_COST = slice(4, 6)


class Passwords:
    """Checks passwords, and remembers results as long as the process runs, over every reload."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        # Two sets, so that wrong passwords, however many, do not push out right ones.
        self._right, self._wrong = _RecentKeys(), _RecentKeys()
        self._waiting = 0
        self._slot = asyncio.Semaphore(_THREADS)
        self._threads = ThreadPoolExecutor(_THREADS, "bcrypt")

    async def refusal(self, users: Mapping[str, Secret], authorization: str) -> Response | None:
        """Return the response to a request that is refused, or None if its password is right.

        Args:
            users: user names with the bcrypt hashes of their passwords.
            authorization: the request's `Authorization` header; empty without one.
        """
        given = credentials(authorization)
        if given is None:
            return _unauthorized()
        name, password = given
        known = users.get(name)
        hashed = known.reveal() if known else self._dummy_hash(name, list(users.values()))
        matches = await self._matches(name, hashed, password)
        if matches is None:
            text = "too many passwords to check\n"
            return text_response(HTTPStatus.SERVICE_UNAVAILABLE, text, {"retry-after": "2"})
        return None if matches and known else _unauthorized()

    def _dummy_hash(self, name: str, hashes: Sequence[Secret]) -> str:
        """Return a hash that no password has, to check an unknown user's password against.

        Without it, response times would show which users exist. The hash has the cost of a known
        user's; of whose is fixed for each name, so that one name always takes the same time.
        """
        pick = int.from_bytes(self._digest("dummy", name)) % len(hashes)
        return f"$2b${hashes[pick].reveal()[_COST]}${'.' * 53}"

    async def _matches(self, name: str, hashed: str, password: bytes) -> bool | None:
        """Return whether `hashed` is the hash of `password`; None if too many checks wait."""
        key = self._digest(name, hashed, password)
        known = self._remembered(key)
        if known is not None or self._waiting >= _MAX_WAITING:
            return known
        self._waiting += 1
        try:
            async with self._slot:
                known = self._remembered(key)  # a request before this one may have had the same
                return await self._compare(key, hashed, password) if known is None else known
        finally:
            self._waiting -= 1

    def _remembered(self, key: bytes) -> bool | None:
        if key in self._right:
            return True
        return False if key in self._wrong else None

    async def _compare(self, key: bytes, hashed: str, password: bytes) -> bool:
        matches = await asyncio.get_running_loop().run_in_executor(
            self._threads, bcrypt.checkpw, password[:_MAX_BYTES], hashed.encode()
        )
        (self._right if matches else self._wrong).add(key)
        return matches

    def _digest(self, *parts: str | bytes) -> bytes:
        """Return a key to remember `parts` by; useless without the secret key of this process."""
        plain = [part.encode() if isinstance(part, str) else part for part in parts]
        framed = b"".join(len(part).to_bytes(8) + part for part in plain)
        return hmac.digest(self._key, framed, "sha256")


class _RecentKeys:
    """A set of keys that forgets the one used longest ago when it is full."""

    def __init__(self) -> None:
        self._keys: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, key: bytes) -> bool:
        known = key in self._keys
        if known:
            self._keys.move_to_end(key)
        return known

    def add(self, key: bytes) -> None:
        self._keys[key] = None
        if len(self._keys) > _MAX_REMEMBERED:
            self._keys.popitem(last=False)


def credentials(authorization: str) -> tuple[str, bytes] | None:
    """Return user and password of an `Authorization: Basic` header (RFC 7617), or None."""
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = b64decode(coded, validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, ValueError):  # ValueError: not ASCII, or not UTF-8
        return None


def _unauthorized() -> Response:
    return text_response(
        HTTPStatus.UNAUTHORIZED, "user and password required\n", {"www-authenticate": "Basic"}
    )
