"""HTTP Basic authentication against bcrypt hashes.

A hash takes 70 ms and more, on purpose. So it is worked out in a thread, once per password, and a
flood of wrong ones costs neither the event loop nor those whose right one is known already.
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
"""Hashes at a time: the rest of the machine is for scrapes."""
_WAITING = 32
"""Passwords in work or waiting: about two seconds' worth at the usual cost of 10."""
_REMEMBERED = 1024
_LONGEST = 72
"""Bytes of a password that bcrypt looks at; Go leaves the rest out, Python's bcrypt complains."""
_COST = slice(4, 6)


class Passwords:
    """Tells right passwords from wrong ones; lives as long as the process, over every reload."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        # Apart, so that no number of wrong passwords makes us forget a right one.
        self._right, self._wrong = _Recent(), _Recent()
        self._waiting = 0
        self._turn = asyncio.Semaphore(_THREADS)
        self._threads = ThreadPoolExecutor(_THREADS, "bcrypt")

    async def refusal(self, users: Mapping[str, Secret], authorization: str) -> Response | None:
        """Return the answer to a request whose `Authorization` is not one of `users`, else None."""
        given = credentials(authorization)
        if given is None:
            return _unauthorized()
        name, password = given
        known = users.get(name)
        hashed = known.reveal() if known else self._dummy(name, list(users.values()))
        matches = await self._matches(name, hashed, password)
        if matches is None:
            text = "too many passwords to check\n"
            return text_response(HTTPStatus.SERVICE_UNAVAILABLE, text, {"retry-after": "2"})
        return None if matches and known else _unauthorized()

    def _dummy(self, name: str, hashes: Sequence[Secret]) -> str:
        """Return a hash that no password has, as costly as one of the known users'.

        The same one each time: where costs differ, an unknown user looks like some known one.
        """
        pick = int.from_bytes(self._digest("dummy", name)) % len(hashes)
        return f"$2b${hashes[pick].reveal()[_COST]}${'.' * 53}"

    async def _matches(self, name: str, hashed: str, password: bytes) -> bool | None:
        """Tell whether it is the hash of this password; None where too many wait for that."""
        key = self._digest(name, hashed, password)
        known = self._remembered(key)
        if known is not None or self._waiting >= _WAITING:
            return known
        self._waiting += 1
        try:
            async with self._turn:
                known = self._remembered(key)  # who waited before may have brought the same
                return await self._compare(key, hashed, password) if known is None else known
        finally:
            self._waiting -= 1

    def _remembered(self, key: bytes) -> bool | None:
        if key in self._right:
            return True
        return False if key in self._wrong else None

    async def _compare(self, key: bytes, hashed: str, password: bytes) -> bool:
        matches = await asyncio.get_running_loop().run_in_executor(
            self._threads, bcrypt.checkpw, password[:_LONGEST], hashed.encode()
        )
        (self._right if matches else self._wrong).add(key)
        return matches

    def _digest(self, *parts: str | bytes) -> bytes:
        """Return what stands for these in memory; of no use without this process's own key."""
        plain = [part.encode() if isinstance(part, str) else part for part in parts]
        framed = b"".join(len(part).to_bytes(8) + part for part in plain)
        return hmac.digest(self._key, framed, "sha256")


class _Recent:
    """The keys that were used last."""

    def __init__(self) -> None:
        self._keys: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, key: bytes) -> bool:
        known = key in self._keys
        if known:
            self._keys.move_to_end(key)
        return known

    def add(self, key: bytes) -> None:
        self._keys[key] = None
        if len(self._keys) > _REMEMBERED:
            self._keys.popitem(last=False)


def credentials(authorization: str) -> tuple[str, bytes] | None:
    """Return user and password of a `Basic` header, or None where it is none."""
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = b64decode(coded, validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, ValueError):  # a ValueError for what is not ASCII, or not UTF-8
        return None


def _unauthorized() -> Response:
    return text_response(
        HTTPStatus.UNAUTHORIZED, "user and password, please\n", {"www-authenticate": "Basic"}
    )
