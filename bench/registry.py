"""A registry that costs next to nothing, in a process of its own: prepared answers after a delay.

The simulated registry of the demo checks signatures and makes its data up; beside that the
exporter's own cost would not be seen. This one answers what was prepared, `latency` later.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.beside import announce, beside

_DAY_MS = 86_400_000


_ARCHITECTURES = ("amd64", "arm64", "arm", "ppc64le", "s390x", "riscv64", "386")


def tag_records(image: int, count: int, now_ms: int, platforms: int = 1) -> list[dict[str, Any]]:
    """Return an image's tags, each with so many platforms, as NCR answers them."""
    return [
        {
            "creator": "8a0f1e9c-made-up",
            "digest": f"sha256:{image * 100_003 + number:064x}",
            "full_size": 50_000_000 + number,
            "id": image * 1000 + number,
            "image_id": image,
            "images": [
                {
                    "architecture": architecture,
                    "created": now_ms - number * _DAY_MS,
                    "digest": f"sha256:{image * 100_003 + number + place * 10**12:064x}",
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
        self._now_ms = round(time.time() * 1000)
        self._tags = tags
        self._platforms = platforms
        self._images = [{"name": f"app-{i}", "pull_count": 7} for i in range(images)]
        self._known: dict[bytes, bytes] = {}

    def to(self, target: bytes) -> bytes:
        """Return the whole answer to a request line's target."""
        if target not in self._known:
            body = self._body(target.decode())
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            self._known[target] = head + body
        return self._known[target]

    def _body(self, target: str) -> bytes:
        path, _, query = target.partition("?")
        values = dict(pair.split("=") for pair in query.split("&"))
        number, size = int(values["page"]), int(values["pagesize"])
        names = path.partition("/repositories")[2].split("/")[1:]
        if len(names) == 3:  # noqa: PLR2004 -- registry, image, "tags"
            image = int(names[1].removeprefix("app-"))
            records = tag_records(image, self._tags, self._now_ms, self._platforms)
            return page_of(records, number, size)
        return page_of(self._images if names else [{"name": "bench"}], number, size)


class Connection(asyncio.Protocol):
    """One client; requests without bodies, one after another."""

    def __init__(self, answers: Answers, latency: float) -> None:
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
    for number in range(images):  # prepared before anybody measures
        for page in range(1, -(-tags // 100) + 1):
            path = f"/ncr/api/v2/repositories/bench/app-{number}/tags"
            answers.to(f"{path}?page={page}&pagesize=100".encode())
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
