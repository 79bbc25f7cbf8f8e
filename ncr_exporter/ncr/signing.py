"""API Gateway's signature v2, and the clock that requests are signed by."""

import base64
import hashlib
import hmac

from ncr_exporter.ncr.vocabulary import ACCESS_KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from ncr_exporter.runtime.clock import Clock


def signature(
    method: str, path_and_query: str, timestamp_ms: str, access_key: str, secret_key: str
) -> str:
    """Return the signature of a request: an HMAC-SHA256, in Base64.

    Source: the vendor's page of API Gateway's signature v2. The tests use its published vectors.

    Args:
        method: the HTTP method, in upper case.
        path_and_query: as sent: with the region's prefix, percent-encoded, with the query.
        timestamp_ms: milliseconds since the epoch, as in the header.
        access_key: the access key id.
        secret_key: the secret key.
    """
    message = f"{method} {path_and_query}\n{timestamp_ms}\n{access_key}"
    digest = hmac.digest(secret_key.encode(), message.encode(), hashlib.sha256)
    return base64.b64encode(digest).decode("ascii")


def signed_headers(
    method: str, path_and_query: str, *, timestamp_ms: int, access_key: str, secret_key: str
) -> dict[str, str]:
    """Return the headers of a signed request.

    Args:
        method: the HTTP method, in upper case.
        path_and_query: as sent: with the region's prefix, percent-encoded, with the query.
        timestamp_ms: the gateway's time; it refuses a difference of more than 5 minutes.
        access_key: the access key id.
        secret_key: the secret key.
    """
    # Formatted once: the header must hold the text that was signed.
    timestamp = str(timestamp_ms)
    return {
        TIMESTAMP_HEADER: timestamp,
        ACCESS_KEY_HEADER: access_key,
        SIGNATURE_HEADER: signature(method, path_and_query, timestamp, access_key, secret_key),
    }


TOLERATED_SKEW = 60.0
"""Seconds. The gateway refuses timestamps that are 5 minutes off (the vendor's page of signature
v2). `Date` has whole seconds, and the response takes a while to arrive."""


class GatewayClock:
    """The gateway's clock, as far as its responses show it."""

    def __init__(self, clock: Clock) -> None:
        """Start without a difference; `clock` is this host's."""
        self._clock = clock
        self.skew = 0.0
        """The gateway's clock minus this host's, in seconds."""
        self.is_known = False
        """Whether a response has shown the gateway's time."""

    @property
    def correction(self) -> float:
        """Seconds to add to this host's time: the skew if it is not tolerated, else 0."""
        return self.skew if abs(self.skew) > TOLERATED_SKEW else 0.0

    def now_ms(self) -> int:
        """Return the time to sign with, in milliseconds since the epoch."""
        return round((self._clock.time() + self.correction) * 1000)

    def update(self, date: float) -> bool:
        """Set the skew by a response's `Date` and return whether the correction changed.

        Args:
            date: seconds since the epoch.
        """
        before = self.correction
        self.skew, self.is_known = date - self._clock.time(), True
        return abs(self.correction - before) > TOLERATED_SKEW
