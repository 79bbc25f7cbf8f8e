"""An API key, and what a source of one is. Keys are shown nowhere."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ncr_exporter.config import Secret
from ncr_exporter.runtime.errors import UserError

_KEY = re.compile(r"[!-~]+")


class CredentialsError(UserError):
    """No key pair can be had; `str()` says what was looked at and what to do."""


@dataclass(frozen=True)
class KeyPair:
    """An API key."""

    access_key: Secret
    secret_key: Secret

    def __post_init__(self) -> None:
        """Refuse what cannot stand in a header: the HTTP library's own error would quote the key.

        Raises:
            CredentialsError: a key holds white space, control characters or anything but ASCII.
        """
        for name, key in (("access", self.access_key), ("secret", self.secret_key)):
            if not _KEY.fullmatch(key.reveal()):
                raise CredentialsError(
                    f"the {name} key holds characters that no key has; paste it again"
                )


class Credentials(ABC):
    """A source of a key pair that may change while the program runs."""

    source: str
    """Its name, for logs."""

    async def ready(self) -> None:  # noqa: B027 -- most sources have their key at hand
        """Have a key at hand for `current`, where that takes asking somebody.

        Raises:
            CredentialsError: there is none.
        """

    @abstractmethod
    def current(self) -> KeyPair:
        """Return the key pair to sign with now.

        Raises:
            CredentialsError: there is none.
        """
