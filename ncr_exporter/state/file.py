"""The state file: a header, frames, and a checksum; written and read frame by frame.

Neither side ever holds the whole content, which may be as large as all tags in memory. A frame is
any bytes. In the file its length comes before it, in four bytes, the highest first.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ncr_exporter.runtime.atomicfile import write_atomically

VERSION = 3
_HEADER = re.compile(rb"ncr-exporter state (\d{1,6})(?: .*)?\n")
_LONGEST_HEADER = 200
_LENGTH_SIZE = 4
_DIGEST_SIZE = hashlib.sha256().digest_size
_MODE = 0o600

_MAX_BYTES = 1024 * 2**20
"""Limit of the content: a million tags take a tenth of it."""
_MAX_FRAMES = 1_000_000
_LONGEST_FRAME = 16 * 2**20
"""Bytes; some 200,000 tags of one image."""
_PIECE = 64 * 1024
"""Bytes that are written at once, and read at once to compare the checksum."""


class StateError(Exception):
    """The file holds no usable state; `str()` says why."""


class NewerStateError(StateError):
    """A newer version of the program wrote the file."""


class _Body(NamedTuple):
    """Where the frames stand in a file."""

    start: int
    end: int
    digest: bytes
    """The checksum of all that is before `end`."""


def write_state(path: Path, frames: Iterable[bytes]) -> None:
    """Replace the file atomically. Frames beyond the size limits are left out.

    Raises:
        WriteError: it cannot be written; the file from before is still there.
    """
    write_atomically(path, _pieces(frames), mode=_MODE)


def read_state(path: Path) -> Iterator[bytes]:
    """Yield the frames of the file; the checksum is compared before the first.

    Raises:
        FileNotFoundError: there is no file.
        OSError: it cannot be read.
        NewerStateError: it is of a newer version.
        StateError: it is damaged, too large, of an older version, or not a state file.
    """
    with path.open("rb") as file:
        body = _body_of(file)
        _check(file, body)
        yield from _frames(file, body)


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


def _pieces(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the file's content in pieces: header, frames, checksum."""
    header = f"ncr-exporter state {VERSION}\n".encode()
    digest, parts, size = hashlib.sha256(), [header], len(header)
    for frame in _bounded(frames):
        parts += (len(frame).to_bytes(_LENGTH_SIZE), frame)
        size += len(frame)
        if size >= _PIECE:
            piece = b"".join(parts)
            digest.update(piece)
            yield piece
            parts, size = [], 0
    piece = b"".join(parts)
    digest.update(piece)
    yield piece + digest.digest()


def _bounded(frames: Iterable[bytes]) -> Iterator[bytes]:
    left = _MAX_BYTES - _LONGEST_HEADER - _DIGEST_SIZE
    for frame in frames:
        left -= _LENGTH_SIZE + len(frame)
        if left < 0:
            return
        if len(frame) <= _LONGEST_FRAME:
            yield frame


def _body_of(file: BinaryIO) -> _Body:
    """Return where the frames stand in an open file, by its header."""
    size = os.fstat(file.fileno()).st_size
    if size > _MAX_BYTES:
        raise StateError("larger than any state")
    match = _HEADER.fullmatch(file.readline(_LONGEST_HEADER))
    if match is None:
        raise StateError("not a state of this program")
    version, start, end = int(match[1]), match.end(), size - _DIGEST_SIZE
    if version > VERSION:
        raise NewerStateError(f"of version {version}; this program reads version {VERSION}")
    if version < VERSION:
        raise StateError(f"of version {version}; this program reads version {VERSION}")
    if end < start:
        raise StateError("cut short")
    file.seek(end)
    return _Body(start, end, file.read(_DIGEST_SIZE))


def _check(file: BinaryIO, body: _Body) -> None:
    digest = hashlib.sha256()
    file.seek(0)
    left = body.end
    while left and (piece := file.read(min(_PIECE, left))):
        digest.update(piece)
        left -= len(piece)
    if digest.digest() != body.digest:
        raise StateError("its checksum differs: it is damaged")


def _frames(file: BinaryIO, body: _Body) -> Iterator[bytes]:
    """Yield the frames of a file that may have been made to look like one."""
    position = body.start
    file.seek(position)
    for _ in range(_MAX_FRAMES):
        if position == body.end:
            return
        length = int.from_bytes(file.read(_LENGTH_SIZE))
        position += _LENGTH_SIZE + length
        if length > _LONGEST_FRAME or position > body.end:
            raise StateError("damaged: a frame is longer than any, or than the file")
        yield file.read(length)
    raise StateError("more frames than any state")
