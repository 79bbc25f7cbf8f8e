"""Reads a recording back."""

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
class Answer:
    """What was answered once."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Recording:
    """What a directory holds."""

    zone: str
    page_size: int
    answers: Mapping[str, tuple[Answer, ...]]
    """By path and query; several where it was asked for more than once."""

    @property
    def registries(self) -> list[dict[str, Any]]:
        """The `registries` of a configuration that asks for just what was recorded in its zone."""
        regions = {prefix: region for region, prefix in REGIONS[self.zone].items()}
        images: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for target in self.answers:
            asked = parse(target)
            if asked and asked.list.registry is not None and asked.list.prefix in regions:
                key = (asked.list.registry, regions[asked.list.prefix])
                images[key] |= {asked.list.image: None} if asked.list.image is not None else {}
        return [
            {"name": name, "region": region, **({"images": list(named)} if named else {})}
            for (name, region), named in images.items()
        ]


def read_recording(directory: Path) -> Recording:
    """Return the recording in a directory.

    Raises:
        ValueError: there is none; the message says why, for people.
    """
    meta = _json(directory / META)
    if meta.get("format") != FORMAT or meta.get("zone") not in REGIONS:
        raise ValueError(f"{directory / META} is not of a recording that this version reads")
    answers: defaultdict[str, tuple[Answer, ...]] = defaultdict(tuple)
    for target, answer in _answers(directory):
        answers[target] += (answer,)
    if not answers:
        raise ValueError(f"{directory} holds no answers")
    return Recording(meta["zone"], int(meta["page_size"]), dict(answers))


def _answers(directory: Path) -> Iterator[tuple[str, Answer]]:
    for path in sorted(directory.glob("[0-9]*.json")):
        content = _json(path)
        try:
            response = content["response"]
            answer = Answer(response["status"], response["headers"], _body(response["body"]))
            yield content["request"]["target"], answer
        except (KeyError, TypeError):
            raise ValueError(f"{path} holds no answer") from None


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
        raise ValueError(f"{path} is no part of a recording")
    return content
