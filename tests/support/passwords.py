"""Made-up users of a web configuration, and what their clients send."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest.mock import patch

import bcrypt

RIGHT = "correct horse"


def hash_of(password: str | bytes, cost: int = 4) -> str:
    """Return a bcrypt hash, cheap unless told."""
    plain = password.encode() if isinstance(password, str) else password
    return bcrypt.hashpw(plain[:72], bcrypt.gensalt(cost)).decode()


def users_section(users: Mapping[str, str]) -> str:
    """Return `basic_auth_users` for these users and hashes."""
    rows = "".join(f"  {user}: {hashed}\n" for user, hashed in users.items())
    return f"basic_auth_users:\n{rows}"


def authorization(user: str, password: str | bytes) -> str:
    """Return what stands in the header."""
    plain = password.encode() if isinstance(password, str) else password
    return "Basic " + b64encode(user.encode() + b":" + plain).decode()


@contextmanager
def hashes_counted() -> Iterator[list[str]]:
    """Give the hashes that passwords are compared with, as it happens; all is real but the list."""
    seen: list[str] = []
    check = bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        seen.append(hashed.decode())
        return check(password, hashed)

    with patch.object(bcrypt, "checkpw", counted):
        yield seen
