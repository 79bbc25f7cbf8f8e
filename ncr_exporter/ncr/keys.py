"""API keys, and the interface of their sources. Keys are never shown."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ncr_exporter.config import Secret
from ncr_exporter.config.stray_signs import stray_end
from ncr_exporter.runtime.errors import UserError

_KEY = re.compile(r"[!-~]+")


class CredentialsError(UserError):
    """There is no usable key pair; `str()` says where it was looked for and what to do."""


def usable_key(key: str, name: str) -> Secret:
    """Return a key as it was found, if it can be one.

    Args:
        key: the access key id or the secret key.
        name: what holds it, for the message.

    Raises:
        CredentialsError: it holds what no key has, or a placeholder for one.
    """
    stray = stray_end(key)
    if stray:
        raise CredentialsError(f"{name} {stray}; set it without")
    if len(key.splitlines()) > 1:
        raise CredentialsError(f"{name} holds several lines; only the key may be in it")
    if key.startswith("<") and key.endswith(">"):
        raise CredentialsError(f"{name} holds a placeholder in place of the key")
    secret = Secret(key)
    check_characters(secret, name)
    return secret


def check_characters(key: Secret, name: str) -> None:
    """Refuse a key that holds anything but printable ASCII.

    Raises:
        CredentialsError: it does; the message names the key by `name`.
    """
    if not _KEY.fullmatch(key.reveal()):
        raise CredentialsError(f"{name} holds characters that no key has; paste it again")


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
        check_characters(self.access_key, "the access key")
        check_characters(self.secret_key, "the secret key")


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
