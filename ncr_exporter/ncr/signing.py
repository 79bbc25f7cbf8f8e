"""API Gateway signature v2."""

import base64
import hashlib
import hmac

from ncr_exporter.ncr.vocabulary import ACCESS_KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from ncr_exporter.runtime.clock import Clock


def signature(
    method: str, path_and_query: str, timestamp_ms: str, access_key: str, secret_key: str
) -> str:
    """Return the Base64 HMAC-SHA256 that the gateway computes too.

    `path_and_query` is what goes on the wire: region prefix included, percent-encoded, with the
    query. Source: the vendor's signature v2; tried against its published test vectors.
    """
    message = f"{method} {path_and_query}\n{timestamp_ms}\n{access_key}"
    digest = hmac.digest(secret_key.encode(), message.encode(), hashlib.sha256)
    return base64.b64encode(digest).decode("ascii")


def signed_headers(
    method: str, path_and_query: str, *, timestamp_ms: int, access_key: str, secret_key: str
) -> dict[str, str]:
    """Return the three headers of a signed request, good for 5 minutes around `timestamp_ms`.

    The timestamp is formatted once: the header must carry the very text that was signed.
    """
    timestamp = str(timestamp_ms)
    return {
        TIMESTAMP_HEADER: timestamp,
        ACCESS_KEY_HEADER: access_key,
        SIGNATURE_HEADER: signature(method, path_and_query, timestamp, access_key, secret_key),
    }


TOLERATED = 60.0
"""Seconds. The gateway refuses signatures 5 minutes off; `Date` itself is coarse by a second."""


class GatewayClock:
    """Follows the difference between the gateway's clock and ours; signs by ours where it may."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.skew = 0.0

    @property
    def correction(self) -> float:
        """Return the seconds added to our time when signing."""
        return self.skew if abs(self.skew) > TOLERATED else 0.0

    def now_ms(self) -> int:
        """Return the time to sign with."""
        return round((self._clock.time() + self.correction) * 1000)

    def learn(self, date: float) -> bool:
        """Take an answer's `Date` in; tell whether the correction became another."""
        before = self.correction
        self.skew = date - self._clock.time()
        return abs(self.correction - before) > TOLERATED
