"""Faults of the body: complete HTTP responses whose body is no page, or contradicts the headers."""

import functools
import gzip
import itertools
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

from ncr_exporter.httpd.messages import Request, Response, text_response
from ncr_exporter.simulator.faults.fault import Fault, always
from ncr_exporter.simulator.responses import body_of, with_body

_LOGIN_PAGE = text_response(
    200,
    "<!doctype html>\n<title>Sign in</title>\n<p>Sign in to use this network.\n",
    {"content-type": "text/html; charset=utf-8"},
)
_DEPTH = 100_000
_AGE = 2 * 60 * 60  # seconds
_BLANKS = b" " * 2**20
_BLOCKS = 1024
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


def _empty(_request: Request, response: Response) -> Response:
    return with_body(replace(response, status=200), b"")


def _mislabelled(_request: Request, response: Response) -> Response:
    return replace(response, headers={**response.headers, "content-type": "image/png"})


def _utf_16(_request: Request, response: Response) -> Response:
    return with_body(response, body_of(response).decode().encode("utf-16"))


def _latin_1(_request: Request, response: Response) -> Response:
    """Return the response with a Latin-1 letter, which is not UTF-8, in front of every name."""
    return with_body(response, body_of(response).replace(b'"name": "', b'"name": "\xe9'))


def _truncated(_request: Request, response: Response) -> Response:
    body = body_of(response)
    return with_body(response, body[: len(body) // 2])


def _nested(_request: Request, response: Response) -> Response:
    deep = b"[" * _DEPTH + b"]" * _DEPTH
    return with_body(response, b'{"count": 1, "next": null, "results": [' + deep + b"]}")


def _not_a_page(_request: Request, response: Response) -> Response:
    return with_body(response, b'["this", "is", "no", "page"]')


def _error_page(_request: Request, response: Response) -> Response:
    error = {"errorCode": "900", "message": "Unexpected Error"}
    return with_body(response, json.dumps({"error": error, "results": []}).encode("ascii"))


def _x_gzip(_request: Request, response: Response) -> Response:
    headers = {**response.headers, "content-encoding": "X-GZIP"}
    return with_body(replace(response, headers=headers), gzip.compress(body_of(response), mtime=0))


def _cached(_request: Request, response: Response) -> Response:
    """Return the response as from a cache that has had it for two hours."""
    sent = parsedate_to_datetime(response.headers["date"]) - timedelta(seconds=_AGE)
    headers = {"date": format_datetime(sent, usegmt=True), "age": str(_AGE)}
    return replace(response, headers={**response.headers, **headers})


def _bomb(_request: Request, response: Response) -> Response:
    headers = {**response.headers, "content-encoding": "gzip"}
    return with_body(replace(response, headers=headers), _bomb_body())


@functools.cache
def _bomb_body() -> bytes:
    """Return a gzip body of 1 MB that inflates to 1 GB of blanks.

    After a full flush equal text compresses to equal bytes, so one block is simply repeated.
    """
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
    Fault("html", "200 with a login page in HTML", always(_LOGIN_PAGE)),
    Fault("empty", "200 with no body", _empty),
    Fault("wrong-content-type", "the correct response, labelled image/png", _mislabelled),
    Fault("utf-16", "the correct response in UTF-16, with a byte order mark", _utf_16),
    Fault("latin-1", "names in Latin-1, which are not valid UTF-8", _latin_1),
    Fault("truncated", "200 with half of the JSON, as a complete HTTP response", _truncated),
    Fault("nested", f"200 with JSON nested {_DEPTH:,} deep", _nested),
    Fault("not-a-page", "200 with a JSON array instead of a page", _not_a_page),
    Fault("error-page", "200 with an error beside an empty list of records", _error_page),
    Fault("x-gzip", "the correct response, compressed, its encoding written X-GZIP", _x_gzip),
    Fault("cached", "the correct response, from a cache that is two hours behind", _cached),
    Fault("gzip-bomb", "200 with 1 MB that inflates to 1 GB", _bomb),
)
