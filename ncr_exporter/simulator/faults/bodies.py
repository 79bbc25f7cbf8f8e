"""Whole answers, well framed, whose body is no page, or is not what the headers say."""

import functools
import itertools
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.simulator.faults.fault import Fault, instead
from ncr_exporter.simulator.responses import body_of, with_body

_LOGIN_PAGE = text_response(
    200,
    "<!doctype html>\n<title>Sign in</title>\n<p>Sign in to use this network.\n",
    {"content-type": "text/html; charset=utf-8"},
)
_DEPTH = 100_000
_BLANKS = b" " * 2**20
_BLOCKS = 1024
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


def _empty(_request: Request, answer: Response) -> Response:
    return with_body(replace(answer, status=200), b"")


def _mislabelled(_request: Request, answer: Response) -> Response:
    return replace(answer, headers={**answer.headers, "content-type": "image/png"})


def _utf_16(_request: Request, answer: Response) -> Response:
    return with_body(answer, body_of(answer).decode().encode("utf-16"))


def _latin_1(_request: Request, answer: Response) -> Response:
    """Begin every name with a letter that is one byte, and no UTF-8."""
    return with_body(answer, body_of(answer).replace(b'"name": "', b'"name": "\xe9'))


def _truncated(_request: Request, answer: Response) -> Response:
    body = body_of(answer)
    return with_body(answer, body[: len(body) // 2])


def _nested(_request: Request, answer: Response) -> Response:
    deep = b"[" * _DEPTH + b"]" * _DEPTH
    return with_body(answer, b'{"count": 1, "next": null, "results": [' + deep + b"]}")


def _not_a_page(_request: Request, answer: Response) -> Response:
    return with_body(answer, b'["this", "is", "no", "page"]')


def _bomb(_request: Request, answer: Response) -> Response:
    headers = {**answer.headers, "content-encoding": "gzip"}
    return with_body(replace(answer, headers=headers), _bomb_body())


@functools.cache
def _bomb_body() -> bytes:
    """Return 1 GB of blanks in gzip: after a full flush the same text is the same bytes again."""
    start, end, packer = (
        b'{"results": [',
        b"]}",
        zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS),
    )
    packed = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    packed += (packer.compress(_BLANKS) + packer.flush(zlib.Z_FULL_FLUSH)) * _BLOCKS
    packed += packer.compress(end) + packer.flush()
    check = functools.reduce(lambda check, text: zlib.crc32(text, check), _blocks(start, end), 0)
    size = len(start) + len(_BLANKS) * _BLOCKS + len(end)
    return _GZIP_HEAD + packed + struct.pack("<II", check, size)


def _blocks(start: bytes, end: bytes) -> Iterator[bytes]:
    yield start
    yield from itertools.repeat(_BLANKS, _BLOCKS)
    yield end


BODIES = (
    Fault("html", "200 with a login page in HTML", instead(_LOGIN_PAGE)),
    Fault("empty", "200 with no body", _empty),
    Fault("wrong-content-type", "the right answer, called image/png", _mislabelled),
    Fault("utf-16", "the right answer in UTF-16, with a byte order mark", _utf_16),
    Fault("latin-1", "names in Latin-1 that are no UTF-8", _latin_1),
    Fault("truncated", "200 with the first half of the JSON, well framed", _truncated),
    Fault("nested", f"200 with JSON nested {_DEPTH:,} deep", _nested),
    Fault("not-a-page", "200 with a JSON array in place of a page", _not_a_page),
    Fault("gzip-bomb", "200 with 1 MB that inflates to 1 GB", _bomb),
)
