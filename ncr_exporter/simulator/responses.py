"""Responses of the API: pages, and the errors of the gateway and of the service behind it.

Sources: the vendor's reference for pages and the gateway's errors; reports of public clients for
the service's errors. The header `x-ncp-apigw-response-origin` names which of the two responded.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ncr_exporter.httpd.messages import Response
from ncr_exporter.ncr.vocabulary import ORIGIN_HEADER
from ncr_exporter.simulator.api_records import JsonRecord

_WORTH_COMPRESSING = 1024  # bytes


def page_of(records: Sequence[JsonRecord], number: int, size: int) -> Response:
    """Return page `number`, counted from 1; a page past the end is empty and has no next."""
    last = -(-len(records) // size)
    content = {
        "count": len(records),
        "next": number + 1 if number < last else None,
        "previous": min(number - 1, last) or None,
        "results": records[(number - 1) * size : number * size],
    }
    return json_response(200, content, "ENDPOINT")


def gateway_error(status: int, code: str, message: str, details: str = "") -> Response:
    """Return an error of the API gateway, with its documented body."""
    error = {"errorCode": code, "message": message, "details": details or message}
    return json_response(status, {"error": error}, "APIGW")


def service_error(status: int, message: str) -> Response:
    """Return an error of the service behind the gateway."""
    content = {"returnCode": str(status), "returnMessage": message}
    return json_response(status, content, "ENDPOINT")


def json_response(status: int, content: object, origin: str) -> Response:
    """Return a response with `content` as JSON."""
    body = json.dumps(content).encode("ascii")
    headers = {"content-type": "application/json", ORIGIN_HEADER: origin}
    return Response(status, headers, (body,), len(body))


def with_body(response: Response, body: bytes) -> Response:
    """Return the response with another body, and the length of that body."""
    return replace(response, body=(body,), length=len(body))


def with_headers(response: Response, headers: Mapping[str, str]) -> Response:
    """Return the response with further headers; its own headers win."""
    return replace(response, headers={**headers, **response.headers})


def body_of(response: Response) -> bytes:
    """Return the bytes of a response's body."""
    return b"".join(response.body)


def content_of(response: Response) -> Any:  # noqa: ANN401 -- whatever JSON holds
    """Return the decoded JSON of a response's body."""
    return json.loads(body_of(response))


def items_key(page: Mapping[str, Any]) -> str:
    """Return the key of a page's items, in either version."""
    return "results" if "results" in page else "content"


def compressed(response: Response, accept_encoding: str) -> Response:
    """Return the response compressed by gzip, if the client accepts it and the body is large."""
    accepted = {part.partition(";")[0].strip() for part in accept_encoding.lower().split(",")}
    done = response.takeover or "content-encoding" in response.headers
    if done or "gzip" not in accepted or (response.length or 0) <= _WORTH_COMPRESSING:
        return response
    body = gzip.compress(body_of(response), compresslevel=1, mtime=0)
    headers = {**response.headers, "content-encoding": "gzip"}
    return with_body(replace(response, headers=headers), body)
