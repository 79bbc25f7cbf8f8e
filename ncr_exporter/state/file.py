"""The state file: a header, compressed lines, and a checksum; written and read in pieces.

Neither side ever holds the whole content, which may be as large as all tags in memory.
"""

import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ncr_exporter.runtime.atomicfile import write_atomically

VERSION = 2
"""Version 2 ends with its checksum; version 1 had it in the header."""
_HEADER = re.compile(rb"ncr-exporter state (\d{1,6})(?: sha256=([0-9a-f]{64}))?\n")
_LONGEST_HEADER = 200
_DIGEST_SIZE = hashlib.sha256().digest_size
_MODE = 0o600
_LEVEL = 1
"""zlib's fastest: writing must take little CPU time."""

_MAX_BYTES = 1024 * 2**20
"""Limit of the content before compression: a million tags take a fifth of it."""
_MAX_LINES = 1_000_000
_LONGEST_LINE = 4 * 2**20
"""Bytes; of the lines that the program writes only one with a tag of 10,000 platforms is longer."""
_PIECE = 64 * 1024
"""Bytes that are read, inflated or compressed at once."""


class StateError(Exception):
    """The file holds no usable state; `str()` says why."""


class NewerStateError(StateError):
    """A newer version of the program wrote the file."""


class _Body(NamedTuple):
    """Where the compressed lines stand in a file."""

    start: int
    end: int
    digest: bytes
    digested_from: int
    """Where the bytes begin that the checksum is of; they reach to `end`."""


def write_state(path: Path, lines: Iterable[bytes]) -> None:
    """Replace the file atomically. Lines beyond the size limit are left out.

    Raises:
        WriteError: it cannot be written; the file from before is still there.
    """
    write_atomically(path, _pieces(lines), mode=_MODE)


def read_state(path: Path) -> Iterator[bytes]:
    """Yield the lines of the file; the checksum is compared before the first.

    A line that is longer than any the program writes comes empty.

    Raises:
        FileNotFoundError: there is no file.
        OSError: it cannot be read.
        NewerStateError: it is of a newer version.
        StateError: it is damaged, too large, or not a state file.
    """
    with path.open("rb") as file:
        body = _body_of(file)
        _check(file, body)
        yield from _lines(_inflated(file, body))


def is_newer(path: Path) -> bool:
    """Return whether a newer version of the program wrote the file; False if there is none."""
    try:
        with path.open("rb") as file:
            _body_of(file)
    except NewerStateError:
        return True
    except (OSError, StateError):
        return False
    return False


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be used, so that people can examine it; return its new path.

    Raises:
        OSError: it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return aside


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the file's content in pieces: header, compressed lines, checksum."""
    header = f"ncr-exporter state {VERSION}\n".encode()
    digest, compressor = hashlib.sha256(header), zlib.compressobj(_LEVEL)
    yield header
    for line in _bounded(lines):
        if piece := compressor.compress(line):
            digest.update(piece)
            yield piece
    piece = compressor.flush()
    digest.update(piece)
    yield piece + digest.digest()


def _bounded(lines: Iterable[bytes]) -> Iterator[bytes]:
    left = _MAX_BYTES
    for line in lines:
        left -= len(line)
        if left < 0:
            return
        if len(line) <= _LONGEST_LINE:
            yield line


def _body_of(file: BinaryIO) -> _Body:
    """Return where the lines stand in an open file, by its header."""
    size = os.fstat(file.fileno()).st_size
    if size > _MAX_BYTES:
        raise StateError("larger than any state")
    match = _HEADER.fullmatch(file.readline(_LONGEST_HEADER))
    if match is None:
        raise StateError("not a state of this program")
    version, start = int(match[1]), match.end()
    if version > VERSION:
        raise NewerStateError(f"of version {version}; this program reads up to {VERSION}")
    if version == 1 and match[2]:
        return _Body(start, size, bytes.fromhex(match[2].decode()), start)
    end = size - _DIGEST_SIZE
    if version != VERSION or match[2] or end < start:
        raise StateError("damaged, or not a state of this program")
    file.seek(end)
    return _Body(start, end, file.read(_DIGEST_SIZE), 0)


def _check(file: BinaryIO, body: _Body) -> None:
    digest = hashlib.sha256()
    for piece in _read(file, body.digested_from, body.end):
        digest.update(piece)
    if digest.digest() != body.digest:
        raise StateError("its checksum differs: it is damaged")


def _read(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes from `start` to `end` in pieces."""
    file.seek(start)
    while start < end and (piece := file.read(min(_PIECE, end - start))):
        start += len(piece)
        yield piece


def _inflated(file: BinaryIO, body: _Body) -> Iterator[bytes]:
    """Yield the lines as they were before compression, in pieces of any length."""
    inflater, left = zlib.decompressobj(), _MAX_BYTES
    try:
        for compressed in _read(file, body.start, body.end):
            for piece in _drained(inflater, compressed):
                left -= len(piece)
                if left < 0:
                    raise StateError("larger than any state")
                yield piece
    except zlib.error as error:
        raise StateError(f"damaged: {error}") from None
    if not inflater.eof:
        raise StateError("cut short")


def _drained(inflater: "zlib._Decompress", compressed: bytes) -> Iterator[bytes]:
    """Yield all that can be inflated so far, in short pieces, however far it was compressed."""
    if inflater.eof:
        raise StateError("damaged: something follows its end")
    while True:
        piece = inflater.decompress(compressed, _PIECE)
        compressed = inflater.unconsumed_tail
        yield piece
        # A full piece may leave some of the content in the inflater, though no input is left.
        if not compressed and len(piece) < _PIECE:
            return


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines without their ends; one beyond the limit comes empty."""
    parts: list[bytes] = []
    length = lines = 0
    for piece in pieces:
        first, *others = piece.split(b"\n")
        for following in others:
            lines += 1
            if lines > _MAX_LINES:
                raise StateError("more lines than any state")
            yield b"".join((*parts, first)) if length + len(first) <= _LONGEST_LINE else b""
            parts, length, first = [], 0, following
        length += len(first)
        # What is too long is not kept, only measured.
        parts = [*parts, first] if length <= _LONGEST_LINE else []
    if parts and length:
        yield b"".join(parts)
