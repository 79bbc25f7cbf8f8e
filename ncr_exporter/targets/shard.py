"""Which of several exporters polls what, without their talking to each other. Pure."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ncr_exporter.cli.flags import UsageError

_LONGEST = 6  # digits


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


def chosen_shard(shard: str | None, total: int, environ: Mapping[str, str]) -> Shard:
    """Return the shard that the flags ask for; `auto` is the ordinal of a StatefulSet's pod.

    The pod's name is in POD_NAME where the manifest puts it there, else in HOSTNAME.

    Raises:
        UsageError: they contradict each other; with a sentence for people.
    """
    if shard is None and total == 1:
        return Shard()
    if shard is None:
        raise UsageError("--total-shards needs --shard: a number from 0, or auto")
    index = _ordinal_of(environ) if shard == "auto" else shard
    if not index.isascii() or not index.isdigit() or len(index) > _LONGEST:
        raise UsageError(f"--shard: must be a number from 0, or auto, not {shard!r}")
    if int(index) >= total:
        raise UsageError(f"--shard: {index} is not below --total-shards, {total}")
    return Shard(int(index), total)


def _ordinal_of(environ: Mapping[str, str]) -> str:
    pod = environ.get("POD_NAME") or environ.get("HOSTNAME", "")
    match = re.search(r"-(\d+)$", pod, re.ASCII)
    if match is None:
        raise UsageError(f"--shard=auto: the pod name {pod!r} does not end in an ordinal")
    return match[1]
