"""Reads a recording from its directory."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ncr_exporter.config.zones import REGIONS, VERSIONS, endpoints
from ncr_exporter.ncr.paths import ListPath, parse
from ncr_exporter.recording import FORMAT, META


@dataclass(frozen=True)
class RecordedResponse:
    """One response of a recording."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    host: str = ""
    """The gateway that was asked; empty if it was not the vendor's."""


@dataclass(frozen=True)
class Recording:
    """The content of a recording's directory."""

    zone: str
    page_size: int
    version: str
    """The configured version of the API; one response may be of the other."""
    responses: Mapping[str, tuple[RecordedResponse, ...]]
    """Path and query → the responses to each request for it, in order."""

    @property
    def registries(self) -> list[dict[str, Any]]:
        """The `registries` of a configuration that polls exactly what was recorded."""
        images: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for target, responses in self.responses.items():
            page = parse(target)
            region = page and self._region_of(page.list, responses[0].host)
            if page and page.list.registry is not None and region is not None:
                key = (page.list.registry, region)
                images[key] |= {page.list.image: None} if page.list.image is not None else {}
        return [
            {"name": name, "region": region, **({"images": list(named)} if named else {})}
            for (name, region), named in images.items()
        ]

    def _region_of(self, path: ListPath, host: str) -> str | None:
        """Return the region of a list; None if it is of another version than the configured one.

        In version 3 only the host tells the region. One that was not kept stands for the first.
        """
        if path.style.version != self.version:
            return None
        here = {
            region: endpoint.base_url
            for region, endpoint in endpoints(self.version, self.zone).items()
            if endpoint.prefix == path.prefix
        }
        asked = [region for region, base_url in here.items() if base_url == f"https://{host}"]
        return next(iter(asked or here), None)


def read_recording(directory: Path) -> Recording:
    """Return the recording in a directory.

    Raises:
        ValueError: the directory holds no readable recording; the message says why.
    """
    meta = _json(directory / META)
    is_known = meta.get("zone") in REGIONS and meta.get("version", VERSIONS[0]) in VERSIONS
    if meta.get("format") != FORMAT or not is_known:
        raise ValueError(f"{directory / META} has a format that this version cannot read")
    responses: defaultdict[str, tuple[RecordedResponse, ...]] = defaultdict(tuple)
    for target, response in _responses(directory):
        responses[target] += (response,)
    if not responses:
        raise ValueError(f"{directory} holds no recorded responses")
    version = meta.get("version", VERSIONS[0])
    return Recording(meta["zone"], int(meta["page_size"]), version, dict(responses))


def _responses(directory: Path) -> Iterator[tuple[str, RecordedResponse]]:
    for path in sorted(directory.glob("[0-9]*.json")):
        content = _json(path)
        try:
            kept = content["response"]
            body, request = _body(kept["body"]), content["request"]
            host = request.get("headers", {}).get("host", "")
            response = RecordedResponse(kept["status"], kept["headers"], body, host)
            yield request["target"], response
        except (KeyError, TypeError):
            raise ValueError(f"{path} holds no recorded response") from None


def _body(kept: Mapping[str, Any]) -> bytes:
    if "json" in kept:
        return json.dumps(kept["json"]).encode("ascii")
    return str(kept["not_json"]).encode("latin-1")


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not part of a recording")
    return content
