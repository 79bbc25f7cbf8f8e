"""A registry of very many images that costs next to nothing; in each round some are pulled."""

import argparse
import asyncio
import time
from collections.abc import Iterable
from typing import Any

from bench.beside import announce
from bench.registry import Connection, digest_of, page_of, tag_records
from ncr_exporter.ncr.paths import Operation
from ncr_exporter.simulator import v3
from ncr_exporter.simulator.responses import body_of

BEGIN = "/begin"
"""The target that has pulls begin."""
_Record = dict[str, Any]


class Account:
    """The answers of an account, in both versions of the API.

    Once pulls have begun, the share `active` of its images is pulled once in each `every` seconds.
    """

    def __init__(
        self, *, images: int, registries: int, tags: int, active: float, every: float
    ) -> None:
        self._each, self._registries = images // registries, registries
        self._active, self._every = round(images * active), every
        self._images = images
        self._now_ms = round(time.time() * 1000)
        self._tags = tag_records(tags, self._now_ms, 1)
        self._pulls_since: float | None = None
        self._bodies: dict[tuple[str, int], bytes] = {}

    @property
    def _generation(self) -> int:
        """How often the active images have been pulled."""
        since = self._pulls_since
        return 0 if since is None else 1 + int((time.monotonic() - since) / self._every)

    def to(self, target: bytes) -> bytes:
        """Return the whole answer to a request line's target."""
        path, _, query = target.decode().partition("?")
        if path == BEGIN:
            self._pulls_since = time.monotonic()
        body = b"" if path == BEGIN else self._body(path, query)
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    def _body(self, path: str, query: str) -> bytes:
        if path.endswith("/tags"):
            version = path.partition("/r")[0]
            template = self._known(f"{version}/tags?{query}", 0).split(b"@")
            parts = enumerate(template)
            return b"".join(digest_of(path, part) if n % 2 else part for n, part in parts)
        return self._known(f"{path}?{query}", self._generation)

    def _known(self, target: str, generation: int) -> bytes:
        body = self._bodies.get((target, generation))
        if body is None:
            body = self._bodies[target, generation] = self._page(target, generation)
        return body

    def _page(self, target: str, generation: int) -> bytes:
        path, _, query = target.partition("?")
        values = dict(pair.split("=") for pair in query.split("&"))
        operation, records = self._list(path, generation)
        if "pagesize" in values:
            return page_of(list(records), int(values["page"]), int(values["pagesize"]))
        translated = [v3.record_of(operation, record) for record in records]
        if operation == "image_list":
            translated = [v3.pulled_record(record, self._tags[:1]) for record in translated]
        page = int(values["pageNo"]), int(values["pageSize"])
        return body_of(v3.page_of(operation, translated, *page))

    def _list(self, path: str, generation: int) -> tuple[Operation, Iterable[_Record]]:
        names = [name for name in path.split("/") if name.startswith("r") and name[1:].isdigit()]
        if path.endswith("/tags"):
            return "tag_list", self._tags
        if not names:
            return "registry_list", [{"name": f"r{i}"} for i in range(self._registries)]
        first = int(names[0][1:]) * self._each
        last = first + self._each
        return "image_list", [self._image(image, generation) for image in range(first, last)]

    def _image(self, image: int, generation: int) -> _Record:
        is_active = image * self._active % self._images < self._active
        return {
            "name": f"app-{image}",
            "pull_count": 7 + (generation if is_active else 0),
            "last_updated": self._now_ms,
        }


async def _serve(account: Account, latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(account, latency), "127.0.0.1", 0
    )
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the account is made of."""
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--registries", type=int, default=50)
    parser.add_argument("--tags", type=int, default=20)
    parser.add_argument("--active", type=float, default=0.02, help="share pulled in an interval")
    parser.add_argument("--interval", type=float, default=300.0)
    parser.add_argument("--latency", type=float, default=0.05)


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    given = parser.parse_args()
    account = Account(
        images=given.images,
        registries=given.registries,
        tags=given.tags,
        active=given.active,
        every=given.interval,
    )
    asyncio.run(_serve(account, given.latency))


if __name__ == "__main__":
    main()
