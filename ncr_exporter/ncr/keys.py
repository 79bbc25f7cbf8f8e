"""API keys, and the interface of their sources. Keys are never shown."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ncr_exporter.config import Secret
from ncr_exporter.runtime.errors import UserError

_KEY = re.compile(r"[!-~]+")


class CredentialsError(UserError):
    """There is no usable key pair; `str()` says where it was looked for and what to do."""


@dataclass(frozen=True)
class KeyPair:
    """An API key: access key id and secret key."""

    access_key: Secret
    secret_key: Secret

    def __post_init__(self) -> None:
        """Refuse keys that no header can hold: the HTTP library's error would quote the key.

        Raises:
            CredentialsError: a key holds white space, control characters or anything but ASCII.
        """
        for name, key in (("access", self.access_key), ("secret", self.secret_key)):
            if not _KEY.fullmatch(key.reveal()):
                raise CredentialsError(
                    f"the {name} key holds characters that no key has; paste it again"
                )


class Credentials(ABC):
    """A source of key pairs. The pair may change while the program runs."""

    source: str
    """The source's name, for logs."""

    async def refresh(self) -> None:  # noqa: B027 -- most sources have their key at hand
        """Make sure that `current` has a valid key pair; called before each request is signed.

        Raises:
            CredentialsError: there is none.
        """

    def record_refusal(self) -> None:  # noqa: B027 -- most sources have no other key
        """Look for a newer key pair at the next `refresh`: the API refused this one."""

    @abstractmethod
    def current(self) -> KeyPair:
        """Return the key pair to sign with now.

        Raises:
            CredentialsError: there is none.
        """
