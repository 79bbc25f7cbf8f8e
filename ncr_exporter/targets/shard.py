"""Which of several exporters polls what, without their talking to each other. Pure."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """One of `total` exporters that share the work; `index` counts from 0."""

    index: int = 0
    total: int = 1

    def owns(self, *names: str) -> bool:
        """Tell whether this shard has to do with what has these names."""
        return self.total == 1 or owner(names, self.total) == self.index


def owner(names: tuple[str, ...], total: int) -> int:
    """Return which of `total` shards owns what has these names.

    Rendezvous hashing: of all shards the one with the highest hash owns it, so that one shard
    more takes its even share from each of the others and moves nothing between them.
    """
    return max(range(total), key=lambda index: _weight(index, names))


def _weight(index: int, names: tuple[str, ...]) -> bytes:
    return hashlib.blake2b("\0".join((str(index), *names)).encode(), digest_size=8).digest()
