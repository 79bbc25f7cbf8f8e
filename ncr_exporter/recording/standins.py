"""Stand-ins: the same for the same value within one recording, and no way back from them."""

import hashlib
import re
import secrets
from collections import defaultdict

_DIGEST = re.compile(r"((?:sha256:)*)(.*)", re.DOTALL)
_PUBLIC_DOMAIN = ".ntruss.com"
_WELL_KNOWN = {"latest"}
"""Tags that tell nothing of whose they are."""
_PRIVATE = re.compile(
    r"\b(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F-]{8,}|\d{5,}|[\w.+-]+@[\w.-]+|[A-Za-z0-9+/=_]{20,})"
)
"""In a sentence: addresses of hosts and people, ids, keys."""


class StandIns:
    """Hands out stand-ins; with `keep_names` registries, images and tags keep theirs."""

    def __init__(self, *, keep_names: bool) -> None:
        self._keep_names = keep_names
        self._salt = secrets.token_bytes(16)
        self._texts: defaultdict[str, dict[object, str]] = defaultdict(dict)

    def text(self, kind: str, value: object) -> str:
        """Return `kind-7` for the seventh value of its kind."""
        known = self._texts[kind]
        return known.setdefault(value, f"{kind}-{len(known) + 1}")

    def number(self, kind: str, value: float) -> int:
        """Return the number of the value among its kind."""
        return int(self.text(kind, value).rpartition("-")[2])

    def registry(self, name: str) -> str:
        """Stand in for a registry's name."""
        return name if self._keep_names else self.text("registry", name)

    def image(self, name: str) -> str:
        """Stand in for an image's name; each part by itself, so that globs still mean something."""
        parts = name.split("/")
        return name if self._keep_names else "/".join(self.text("part", part) for part in parts)

    def tag(self, name: str) -> str:
        """Stand in for a tag's name."""
        return name if self._keep_names or name in _WELL_KNOWN else self.text("tag", name)

    def digest(self, value: str) -> str:
        """Stand in for a digest: prefix, however often it stands there, and length stay."""
        match = _DIGEST.fullmatch(value)
        prefix, digits = (match[1], match[2]) if match else ("", value)
        hashed = hashlib.sha256(self._salt + digits.encode("utf-8", "replace")).hexdigest()
        return prefix + hashed[: len(digits)]

    def host(self, value: str, *, of_registry: bool) -> str:
        """Stand in for a host: its first label is a registry's name or a private id."""
        label, _, domain = value.partition(".")
        if not f".{domain}".endswith(_PUBLIC_DOMAIN):
            return self.text("host", value)
        shown = self.registry(label) if of_registry else self.text("private_id", label)
        return f"{shown}.{domain}"

    def sentence(self, value: str) -> str:
        """Return a text for people with everything in it replaced that may be private."""
        for kind in ("registry", "part", "tag"):
            for real, stand_in in sorted(self._texts[kind].items(), key=_longest_first):
                if str(real) in value:
                    value = re.sub(rf"(?<!\w){re.escape(str(real))}(?!\w)", stand_in, value)
        return _PRIVATE.sub("#", value)


def _longest_first(item: tuple[object, str]) -> int:
    return -len(str(item[0]))
