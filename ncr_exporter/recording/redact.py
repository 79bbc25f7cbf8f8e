"""Redacts exchanges. Everything that is not known to be harmless is replaced or removed."""

import hashlib
import json
import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ncr_exporter.config.zones import V3_HOSTS, ZONES
from ncr_exporter.ncr.paths import Operation, parse
from ncr_exporter.ncr.vocabulary import (
    ENVELOPE_FIELDS,
    ERROR_FIELDS,
    ORIGIN_HEADER,
    RECORD_FIELDS,
    TIMESTAMP_HEADER,
    Content,
    Fields,
)
from ncr_exporter.recording.exchange import Exchange

_DIGEST = re.compile(r"((?:sha256:)*)(.*)", re.DOTALL)
_PUBLIC_DOMAIN = ".ntruss.com"
_WELL_KNOWN = {"latest"}
"""Names of tags that are kept, because everybody uses them."""
_PRIVATE = re.compile(
    r"\b(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F-]{8,}|\d{5,}|[\w.+-]+@[\w.-]+|[A-Za-z0-9+/=_]{20,})"
)
"""Parts of a sentence to replace: IP and e-mail addresses, ids, keys."""


class Pseudonyms:
    """Pseudonyms of names, numbers, digests and hosts; equal values have equal pseudonyms.

    With `keep_names` the names of registries, images and tags are their own pseudonyms.
    """

    def __init__(self, *, keep_names: bool) -> None:
        self._keep_names = keep_names
        self._salt = secrets.token_bytes(16)
        self._texts: defaultdict[str, dict[object, str]] = defaultdict(dict)

    def text(self, kind: str, value: object) -> str:
        """Return the pseudonym of any value: `kind-7` for the seventh value of its kind."""
        known = self._texts[kind]
        return known.setdefault(value, f"{kind}-{len(known) + 1}")

    def number(self, kind: str, value: float) -> int:
        """Return the pseudonym of a number: 7 for the seventh value of its kind."""
        return int(self.text(kind, value).rpartition("-")[2])

    def registry(self, name: str) -> str:
        """Return the pseudonym of a registry's name."""
        return name if self._keep_names else self.text("registry", name)

    def image(self, name: str) -> str:
        """Return the pseudonym of an image's name, part by part, so that globs still match."""
        parts = name.split("/")
        return name if self._keep_names else "/".join(self.text("part", part) for part in parts)

    def tag(self, name: str) -> str:
        """Return the pseudonym of a tag's name."""
        return name if self._keep_names or name in _WELL_KNOWN else self.text("tag", name)

    def digest(self, value: str) -> str:
        """Return the pseudonym of a digest; its length and its `sha256:` prefixes stay."""
        match = _DIGEST.fullmatch(value)
        prefix, digits = (match[1], match[2]) if match else ("", value)
        hashed = hashlib.sha256(self._salt + digits.encode("utf-8", "replace")).hexdigest()
        return prefix + hashed[: len(digits)]

    def host(self, value: str, *, of_registry: bool) -> str:
        """Return the pseudonym of a host.

        In the vendor's domain only the first label is replaced: a registry's name, or the private
        id of a registry.
        """
        label, _, domain = value.partition(".")
        if not f".{domain}".endswith(_PUBLIC_DOMAIN):
            return self.text("host", value)
        shown = self.registry(label) if of_registry else self.text("id", label)
        return f"{shown}.{domain}"

    def sentence(self, value: str) -> str:
        """Return a sentence with the known names and every `_PRIVATE` part replaced."""
        for kind in ("registry", "part", "tag"):
            for real, pseudonym in sorted(self._texts[kind].items(), key=_longest_first):
                if str(real) in value:
                    value = re.sub(rf"(?<!\w){re.escape(str(real))}(?!\w)", pseudonym, value)
        return _PRIVATE.sub("#", value)


def _longest_first(item: tuple[object, str]) -> int:
    return -len(str(item[0]))


REMOVED = "<removed>"

_FIELDS: Fields = {
    field: content
    for fields in (
        *(fields for kinds in RECORD_FIELDS.values() for fields in kinds.values()),
        ENVELOPE_FIELDS,
        ERROR_FIELDS,
    )
    for field, content in fields.items()
}
_HARMLESS = frozenset(field for field, content in _FIELDS.items() if content in {"time", "plain"})
_LONGEST_HARMLESS = 100  # characters
_REQUEST_HEADERS = frozenset({"accept", "accept-encoding", "user-agent", TIMESTAMP_HEADER})
_HEADERS = frozenset({"connection", "content-type", "date", "retry-after", "server", ORIGIN_HEADER})
_HOSTS = frozenset(url.removeprefix("https://") for url in (*ZONES.values(), *V3_HOSTS.values()))
_SHOWN = 15  # bytes kept of a body that is not JSON, enough to recognise HTML


class Redactor:
    """Redacts the exchanges of one recording with one set of pseudonyms."""

    def __init__(self, *, keep_names: bool) -> None:
        own = Pseudonyms(keep_names=keep_names)
        self._pseudonyms = own
        self._replacements: Mapping[Content, Callable[[str], str]] = {
            "registry": own.registry,
            "digest": own.digest,
            "public host": partial(own.host, of_registry=True),
            "private host": partial(own.host, of_registry=False),
            "sentence": own.sentence,
        }

    def __call__(self, exchange: Exchange) -> dict[str, Any]:
        """Return the redacted exchange as JSON."""
        target, name_of = self._target(exchange.target)
        return {
            "request": {
                "target": target,
                "headers": _request_headers(exchange.request_headers),
            },
            "response": {
                "status": exchange.status,
                "headers": {
                    name: value if name in _HEADERS else REMOVED
                    for name, value in exchange.headers.items()
                },
                "body": self._body(exchange.body, name_of),
            },
            "received": round(exchange.received, 3),
        }

    def _target(self, target: str) -> tuple[str, Callable[[str], str]]:
        """Return the redacted path and query, and the pseudonym function of names in that list."""
        page = parse(target)
        if page is None:
            return REMOVED, self._pseudonyms.tag
        kept = page.list
        if kept.registry is not None:
            kept = replace(kept, registry=self._pseudonyms.registry(kept.registry))
        if kept.image is not None:
            kept = replace(kept, image=self._pseudonyms.image(kept.image))
        return f"{kept}?{page.query}", self._name_of(kept.operation)

    def _name_of(self, operation: Operation) -> Callable[[str], str]:
        # No default: whose names a new list holds must be decided before it can be recorded.
        match operation:
            case "registry_list":
                return self._pseudonyms.registry
            case "image_list":
                return self._pseudonyms.image
            case "tag_list":
                return self._pseudonyms.tag

    def _body(self, body: bytes, name_of: Callable[[str], str]) -> object:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return {"not_json": body[:_SHOWN].decode("latin-1"), "length": len(body)}
        return {"json": self._value("", content, name_of)}

    def _value(self, field: str, value: Any, name_of: Callable[[str], str]) -> Any:  # noqa: ANN401 -- whatever JSON holds
        if isinstance(value, dict):
            fields = {
                key: key if key.isidentifier() else self._pseudonyms.text("field", key)
                for key in value
            }
            return {field: self._value(field, value[key], name_of) for key, field in fields.items()}
        if isinstance(value, list):
            return [self._value(field, child, name_of) for child in value]
        if isinstance(value, str):
            return self._text(field, value, name_of)
        if value is None or isinstance(value, bool) or value == 0 or field in _HARMLESS:
            return value
        return self._pseudonyms.number(field, value)

    def _text(self, field: str, value: str, name_of: Callable[[str], str]) -> str:
        if not value or (field in _HARMLESS and len(value) <= _LONGEST_HARMLESS):
            return value
        content = _FIELDS.get(field, "private")
        if content == "name":
            return name_of(value)
        if replacement := self._replacements.get(content):
            return replacement(value)
        return self._pseudonyms.text(field or "text", value)


def _request_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value if name in _REQUEST_HEADERS or _is_public_host(name, value) else REMOVED
        for name, value in headers.items()
    }


def _is_public_host(name: str, value: str) -> bool:
    return name == "host" and value in _HOSTS
