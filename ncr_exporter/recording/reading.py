"""Reads a recording from its directory."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ncr_exporter.config.zones import REGIONS
from ncr_exporter.ncr.paths import parse
from ncr_exporter.recording import FORMAT, META


@dataclass(frozen=True)
class RecordedResponse:
    """One response of a recording."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Recording:
    """The content of a recording's directory."""

    zone: str
    page_size: int
    responses: Mapping[str, tuple[RecordedResponse, ...]]
    """Path and query → the responses to each request for it, in order."""

    @property
    def registries(self) -> list[dict[str, Any]]:
        """The `registries` of a configuration that polls exactly what was recorded."""
        regions = {prefix: region for region, prefix in REGIONS[self.zone].items()}
        images: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for target in self.responses:
            page = parse(target)
            if page and page.list.registry is not None and page.list.prefix in regions:
                key = (page.list.registry, regions[page.list.prefix])
                images[key] |= {page.list.image: None} if page.list.image is not None else {}
        return [
            {"name": name, "region": region, **({"images": list(named)} if named else {})}
            for (name, region), named in images.items()
        ]


def read_recording(directory: Path) -> Recording:
    """Return the recording in a directory.

    Raises:
        ValueError: the directory holds no readable recording; the message says why.
    """
    meta = _json(directory / META)
    if meta.get("format") != FORMAT or meta.get("zone") not in REGIONS:
        raise ValueError(f"{directory / META} has a format that this version cannot read")
    responses: defaultdict[str, tuple[RecordedResponse, ...]] = defaultdict(tuple)
    for target, response in _responses(directory):
        responses[target] += (response,)
    if not responses:
        raise ValueError(f"{directory} holds no recorded responses")
    return Recording(meta["zone"], int(meta["page_size"]), dict(responses))


def _responses(directory: Path) -> Iterator[tuple[str, RecordedResponse]]:
    for path in sorted(directory.glob("[0-9]*.json")):
        content = _json(path)
        try:
            kept = content["response"]
            response = RecordedResponse(kept["status"], kept["headers"], _body(kept["body"]))
            yield content["request"]["target"], response
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
