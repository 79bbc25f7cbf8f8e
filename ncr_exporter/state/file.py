"""One file: a header that tells version and checksum, then gzip. Read with suspicion."""

import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ncr_exporter.runtime.atomicfile import write_whole

VERSION = 1
_HEADER = re.compile(rb"ncr-exporter state (\d{1,6}) sha256=([0-9a-f]{64})\n")
_LARGEST = 1024 * 2**20
"""Bytes after gzip, of writing and of reading: a million tags are a fifth of it."""
_LEVEL = 1
_PIECE = 2**20
_PRIVATE = 0o600


class StateError(Exception):
    """The file holds no state of ours; `str()` says why."""


def write_state(path: Path, lines: Iterable[bytes]) -> None:
    """Replace the file whole; lines beyond the largest size are left out.

    Raises:
        WriteError: it cannot be written; what was there before still is.
    """
    compressor = zlib.compressobj(_LEVEL)
    body = [compressor.compress(line) for line in _bounded(lines)]
    body.append(compressor.flush())
    digest = hashlib.sha256(b"".join(body)).hexdigest()
    header = f"ncr-exporter state {VERSION} sha256={digest}\n".encode()
    write_whole(path, [header, *body], mode=_PRIVATE)


def read_state(path: Path) -> list[bytes]:
    """Return the lines of the file.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
        StateError: it is damaged, too large, or none of ours.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > _LARGEST:
            raise StateError("larger than any state")
        match = _HEADER.fullmatch(file.readline(200))
        body = file.read()
    if match is None:
        raise StateError("not a state of this program")
    if int(match[1]) != VERSION:
        raise StateError(f"of version {int(match[1])}; this program reads {VERSION}")
    if hashlib.sha256(body).hexdigest().encode() != match[2]:
        raise StateError("its checksum differs: it is damaged")
    return _inflated(body).splitlines()


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be used, so that somebody can look at it; return its new name.

    Raises:
        OSError: it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return aside


def _inflated(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(body, _LARGEST)
    except zlib.error as error:
        raise StateError(f"damaged: {error}") from None
    if not inflater.eof:
        raise StateError("larger than any state, or cut short")
    return content


def _bounded(lines: Iterable[bytes]) -> Iterator[bytes]:
    room = _LARGEST
    for line in lines:
        room -= len(line)
        if room < 0:
            return
        yield line
