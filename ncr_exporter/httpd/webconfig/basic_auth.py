"""HTTP Basic authentication against bcrypt hashes.

To compute a bcrypt hash takes 70 ms and more, on purpose. So it is computed in a thread, once for
each password, and one at a time: the rest of the machine is for scrapes. A flood of wrong passwords
then delays neither the event loop nor known users.
"""

import asyncio
import binascii
import hmac
import secrets
import time
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus

import bcrypt

from ncr_exporter.config.secret import Secret
from ncr_exporter.httpd.messages import Response, text_response
from ncr_exporter.httpd.webconfig.hash_queue import HashQueue
from ncr_exporter.httpd.webconfig.model import COST
from ncr_exporter.runtime.threads import in_own_thread

_MAX_REMEMBERED = 1024
"""Right passwords remembered, and as many wrong ones."""
_MAX_BYTES = 72
"""Bytes of a password that bcrypt hashes. Go ignores the rest; Python's bcrypt refuses it."""
_CHEAPEST = f"$2b$04${'.' * 53}"
"""A hash of the lowest cost; its check shows how fast this machine is."""
_PAUSE = 2.0
"""Seconds until a request that was dropped is told so; it would come back at once otherwise."""


class Passwords:
    """Checks passwords, and remembers results as long as the process runs, over every reload."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        # Two sets, so that wrong passwords, however many, do not push out right ones.
        self._right, self._wrong = _RecentKeys(), _RecentKeys()
        self._queue = HashQueue()
        self._seconds_per_round = 0.0
        self._check(b"", _CHEAPEST)

    async def refusal(
        self, users: Mapping[str, Secret], authorization: str, client: str
    ) -> Response | None:
        """Return the response to a request that is refused, or None if its password is right.

        Args:
            users: user names with the bcrypt hashes of their passwords.
            authorization: the request's `Authorization` header; empty without one.
            client: the address that the request came from.
        """
        given = credentials(authorization)
        if given is None:
            return _unauthorized()
        name, password = given
        known = users.get(name)
        if known is None:
            await self._spend_time(name, password, list(users.values()))
            return _unauthorized()
        matches = await self._matches(name, known.reveal(), password, client)
        if matches is None:
            text = "too many passwords to check\n"
            return text_response(HTTPStatus.SERVICE_UNAVAILABLE, text, {"retry-after": "2"})
        return None if matches else _unauthorized()

    async def _spend_time(self, name: str, password: bytes, hashes: Sequence[Secret]) -> None:
        """Wait as long as the check of a known user's password takes, without a turn and CPU time.

        Otherwise response times would show which users exist. The time is that of the cost of a
        known user's hash; of whose is fixed for each name. A password that was refused before is
        refused at once, as that of a known user.
        """
        key = self._digest(name, "", password)
        if key in self._wrong:
            return
        pick = int.from_bytes(self._digest("cost", name)) % len(hashes)
        await asyncio.sleep(self._seconds_per_round * _rounds(hashes[pick].reveal()))
        self._wrong.add(key)

    async def _matches(self, name: str, hashed: str, password: bytes, client: str) -> bool | None:
        """Return whether `hashed` is the hash of `password`; None if too many checks wait."""
        key = self._digest(name, hashed, password)
        known = self._remembered(key)
        if known is not None:
            return known
        if not await self._queue.turn(client):
            await asyncio.sleep(_PAUSE)
            return self._remembered(key)
        known = self._remembered(key)  # a request before this one may have had the same
        if known is not None:
            self._queue.pass_on()
            return known
        return await self._compare(key, hashed, password)

    def _remembered(self, key: bytes) -> bool | None:
        if key in self._right:
            return True
        return False if key in self._wrong else None

    async def _compare(self, key: bytes, hashed: str, password: bytes) -> bool:
        """Return whether `hashed` is the hash of `password`; end the turn when that is known.

        A client that leaves ends neither the check nor its turn: no second one runs beside it.
        """
        check = in_own_thread(partial(self._check, password[:_MAX_BYTES], hashed))
        check.add_done_callback(partial(self._end_check, key))
        return await asyncio.shield(check)

    def _end_check(self, key: bytes, check: asyncio.Future[bool]) -> None:
        if not check.cancelled() and check.exception() is None:
            (self._right if check.result() else self._wrong).add(key)
        self._queue.pass_on()

    def _check(self, password: bytes, hashed: str) -> bool:
        started = time.perf_counter()
        matches = bcrypt.checkpw(password, hashed.encode())
        self._seconds_per_round = (time.perf_counter() - started) / _rounds(hashed)
        return matches

    def _digest(self, *parts: str | bytes) -> bytes:
        """Return a key to remember `parts` by; useless without the secret key of this process."""
        plain = [part.encode() if isinstance(part, str) else part for part in parts]
        framed = b"".join(len(part).to_bytes(8) + part for part in plain)
        return hmac.digest(self._key, framed, "sha256")


def _rounds(hashed: str) -> int:
    """Return how many rounds the check of a hash takes."""
    return 1 << int(hashed[COST])


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
