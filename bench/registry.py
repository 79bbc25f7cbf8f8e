"""A registry that costs next to nothing, in a process of its own: prepared answers after a delay.

The simulated registry of the demo checks signatures and makes its data up; beside that the
exporter's own cost would not be seen. This one answers what was prepared, `latency` later, with the
digests of the image that was asked for.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from typing import Any, Protocol

from bench.beside import announce, beside

_DAY_MS = 86_400_000
_ARCHITECTURES = ("amd64", "arm64", "arm", "ppc64le", "s390x", "riscv64", "386")


def tag_records(count: int, now_ms: int, platforms: int) -> list[dict[str, Any]]:
    """Return `count` tags of `platforms` platforms each, as NCR answers them.

    In place of each digest is `@tag.platform@`, the numbers of both.
    """
    return [
        {
            "creator": "8a0f1e9c-made-up",
            "digest": f"sha256:@{number}.0@",
            "full_size": 50_000_000 + number,
            "id": number,
            "image_id": 7,
            "images": [
                {
                    "architecture": architecture,
                    "created": now_ms - number * _DAY_MS,
                    "digest": f"sha256:@{number}.{place}@",
                    "features": "",
                    "latest_pulled": now_ms - number * _DAY_MS // 2,
                    "mediaType": "application/vnd.docker.container.image.v1+json",
                    "os": "linux",
                    "os_features": "",
                    "os_version": None,
                    "size": 50_000_000 + number,
                    "updated": now_ms - number * _DAY_MS,
                    "variant": None,
                }
                for place, architecture in enumerate(_ARCHITECTURES[:platforms])
            ],
            "last_updated": now_ms - number * _DAY_MS,
            "last_updater": "8a0f1e9c-made-up",
            "name": f"1.{number // 10}.{number % 10}",
            "repository": 7,
            "v2": True,
        }
        for number in range(count)
    ]


def page_of(records: list[dict[str, Any]], number: int, size: int) -> bytes:
    """Return one page of a list."""
    start = (number - 1) * size
    following = number + 1 if start + size < len(records) else None
    page = {
        "count": len(records),
        "next": following,
        "previous": number - 1 or None,
        "results": records[start : start + size],
    }
    return json.dumps(page).encode()


class Answers:
    """Prepared answers by path and query."""

    def __init__(self, images: int, tags: int, platforms: int) -> None:
        self._tags = tag_records(tags, round(time.time() * 1000), platforms)
        self._images = [{"name": f"app-{i}", "pull_count": 7} for i in range(images)]
        self._template = cache(self._made_template)

    def to(self, target: bytes) -> bytes:
        """Return the whole answer to a request line's target."""
        path, _, query = target.decode().partition("?")
        names = path.partition("/repositories")[2].split("/")[1:]
        image = names[1] if len(names) == 3 else ""  # noqa: PLR2004 -- registry, image, "tags"
        template = self._template("tags" if image else "images" if names else "registries", query)
        body = b"".join(
            digest_of(image, part) if position % 2 else part
            for position, part in enumerate(template)
        )
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    def _made_template(self, what: str, query: str) -> list[bytes]:
        """Return a page in parts: every other one is what stands in place of a digest."""
        values = dict(pair.split("=") for pair in query.split("&"))
        number = int(values.get("page", 1))  # version 3 of the API counts otherwise
        size = int(values.get("pagesize", 100))
        records = {"tags": self._tags, "images": self._images, "registries": [{"name": "bench"}]}
        return page_of(records[what], number, size).split(b"@")

    def prepare(self) -> None:
        """Prepare the pages of tags, before anybody measures."""
        for page in range(1, -(-len(self._tags) // 100) + 1):
            self._template("tags", f"page={page}&pagesize=100")


def digest_of(image: str, place: bytes) -> bytes:
    """Return a digest, in hex, that this place of this image alone has."""
    return blake2b(place, key=image.encode(), digest_size=32).hexdigest().encode()


class Answering(Protocol):
    """What has the answers of a registry."""

    def to(self, target: bytes) -> bytes:
        """Return the whole answer to a request line's target."""
        ...


class Connection(asyncio.Protocol):
    """One client; requests without bodies, one after another."""

    def __init__(self, answers: Answering, latency: float) -> None:
        self._answers = answers
        self._latency = latency
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- for the type alone
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request after the latency."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            answer = self._answers.to(head.split(b" ", 2)[1])
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, answer)


@contextmanager
def running(images: int, tags: int, latency: float, platforms: int = 1) -> Iterator[str]:
    """Give the base URL of such a registry, in a process of its own."""
    counts = (f"--images={images}", f"--tags={tags}", f"--platforms={platforms}")
    words = (*counts, f"--latency={latency}")
    with beside("registry", *words) as (_, port):
        yield f"http://127.0.0.1:{port}"


def config_for(url: str, images: int, in_flight: int = 32, **defaults: Any) -> str:  # noqa: ANN401 -- settings
    """Return a configuration that limits nothing but the requests in flight, as JSON."""
    content = {
        "api": {"base_url": url, "requests_per_second": 10_000, "max_concurrency": in_flight},
        "credentials": {"access_key": "made-up", "secret_key": "made-up"},
        "defaults": defaults,
        "registries": [{"name": "bench", "images": [f"app-{i}" for i in range(images)]}],
    }
    return json.dumps(content)


async def _serve(images: int, tags: int, platforms: int, latency: float) -> None:
    answers = Answers(images, tags, platforms)
    answers.prepare()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers, latency), "127.0.0.1", 0)
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--tags", type=int, required=True)
    parser.add_argument("--platforms", type=int, required=True)
    parser.add_argument("--latency", type=float, required=True)
    given = parser.parse_args()
    asyncio.run(_serve(given.images, given.tags, given.platforms, given.latency))


if __name__ == "__main__":
    main()
