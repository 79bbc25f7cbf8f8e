"""Prometheus' remote write, as far as samples of a generated world need it.

The message is protobuf, whose few fields are written here by hand, in a block of snappy that holds
it as it is: to compress what goes over loopback would only take time.
Source: https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit

_HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
_MORE = 0x80
"""The bit of a byte of a number that another byte follows."""
_ENOUGH = 2 << 20
"""Bytes of a request from which on it is sent."""


class RemoteWrite:
    """A connection to one receiver. Samples of a series must come in the order of their times.

    Args:
        url: Of Prometheus, started with `--web.enable-remote-write-receiver`.
    """

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=120)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def send(self, messages: Iterable[bytes]) -> None:
        """Send series, several in a request.

        Raises:
            RuntimeError: the receiver refused them.
        """
        for body in _batches(messages):
            self._connection.request("POST", "/api/v1/write", _snappy(body), _HEADERS)
            response = self._connection.getresponse()
            said = response.read()
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise RuntimeError(
                    f"remote write: {response.status} {said.decode(errors='replace')}"
                )


def _batches(messages: Iterable[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    size = 0
    for message in messages:
        batch.append(message)
        size += len(message)
        if size > _ENOUGH:
            yield b"".join(batch)
            batch, size = [], 0
    if batch:
        yield b"".join(batch)


def encode_labels(labels: Mapping[str, str]) -> bytes:
    """Return the labels of a series as its message holds them, sorted by name."""
    pairs = (
        _field(1, name.encode()) + _field(2, value.encode())
        for name, value in sorted(labels.items())
    )
    return b"".join(_field(1, pair) for pair in pairs)


def encode_times(seconds: Iterable[int]) -> list[bytes]:
    """Return times since the epoch as samples hold them: milliseconds."""
    return [b"\x10" + _varint(time * 1000) for time in seconds]


def constant(labels: bytes, value: float, times: Sequence[bytes]) -> bytes:
    """Return a series that keeps one value at all times."""
    # All times of a world are as long, so that one joined text does for all samples of a series:
    # a hundred times as fast as a sample at a time.
    head = _sample_head(value, times)
    return _field(1, labels + head + head.join(times))


def changing(labels: bytes, values: Sequence[float], times: Sequence[bytes]) -> bytes:
    """Return a series with a value for each time."""
    samples = (_sample_head(value, times) + time for value, time in zip(values, times, strict=True))
    return _field(1, labels + b"".join(samples))


def _sample_head(value: float, times: Sequence[bytes]) -> bytes:
    return b"\x12" + _varint(9 + len(times[0])) + b"\x09" + struct.pack("<d", value)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number >= _MORE:
        found.append(number % _MORE | _MORE)
        number >>= 7
    found.append(number)
    return bytes(found)


def _snappy(content: bytes) -> bytes:
    return _varint(len(content)) + b"\xfc" + (len(content) - 1).to_bytes(4, "little") + content
