"""Records in the shape of NCR's answers. Field names and types: the vendor's API reference."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ncr_exporter.simulator.releases import START, Line, chance

Record = dict[str, Any]
"""One item of `results[]`."""

_MEDIA_TYPE = "application/vnd.docker.container.image.v1+json"


def registry_record(name: str, *, public: bool) -> Record:
    """Return an item of the registry list; the hosts follow the documented pattern."""
    private_id = _hex(8, "private", name)
    return {
        "bucket": f"{name}-bucket",
        "created": START - chance("created", name) % 10**9,
        "end_point": f"{name}.kr.ncr.ntruss.com",
        "end_point_enabled": True,
        "name": name,
        "private_end_point": f"{private_id}.kr.private-ncr.ntruss.com",
        "private_id": private_id,
        "public_reg_status": public,
        "scan_on_push_enabled": False,
        "status": "running",
    }


def image_record(
    registry: str, name: str, description: str, *, pulls: int, last_updated: int | None
) -> Record:
    """Return an item of the image list."""
    return {
        "can_edit": True,
        "description": description,
        "is_automated": False,
        "is_private": False,
        "last_updated": last_updated,
        "name": name,
        "namespace": registry,
        "pull_count": pulls,
        "repository_type": "image",
        "star_count": 0,
        "status": 1,
        "user": registry,
    }


def tag_record(registry: str, line: Line, number: int, name: str, now: int) -> Record:
    """Return an item of the tag list: a release under one of its names."""
    platforms = [_platform_record(line, number, platform, now) for platform in line.platforms]
    quirk = QUIRKS.get(name) if number < 0 else None
    record: Record = {
        "creator": _account(registry),
        "digest": platforms[0]["digest"] if len(platforms) == 1 else _digest(line.name, number),
        "full_size": platforms[0]["size"],
        "id": chance("tag", registry, line.name, name) % 10**9,
        "image_id": chance("image", registry, line.name) % 10**6,
        "images": platforms,
        "last_updated": line.built(number),
        "last_updater": _account(registry),
        "name": name,
        "repository": chance("registry", registry) % 10**4,
        "v2": True,
    }
    return quirk(record) if quirk else record


def _platform_record(line: Line, number: int, platform: str, now: int) -> Record:
    system, architecture, variant = (*platform.split("/"), None)[:3]
    built = line.built(number)
    return {
        "architecture": architecture,
        "created": built,
        "digest": _digest(line.name, number, platform),
        "features": "",
        "latest_pulled": line.pulled(number, platform, now),
        "mediaType": _MEDIA_TYPE,
        "os": system,
        "os_features": "",
        "os_version": None,
        "size": line.size_on(number, platform),
        "updated": built,
        "variant": variant,
    }


def _without_platforms(tag: Record) -> Record:
    return tag | {"images": []}


def _without_update(tag: Record) -> Record:
    return tag | {"last_updated": None}


def _without_digests(tag: Record) -> Record:
    bare = [_without(platform, "digest") for platform in tag["images"]]
    return _without(tag, "digest") | {"images": bare}


def _without_size(tag: Record) -> Record:
    return tag | {"full_size": 0}


QUIRKS: Mapping[str, Callable[[Record], Record]] = {
    "0.1-import": _without_platforms,
    "0.2-import": _without_update,
    "0.3-import": _without_digests,
    "0.4-import": _without_size,
}
"""What is missing from tags as old as these: each gap is one that real registries show."""


def _without(record: Record, key: str) -> Record:
    return {name: value for name, value in record.items() if name != key}


def _digest(*seed: object) -> str:
    return f"sha256:{_hex(64, 'digest', *seed)}"


def _account(registry: str) -> str:
    """Return the id of the service account that pushes."""
    return str(uuid.UUID(hex=_hex(32, "account", registry)))


def _hex(digits: int, *seed: object) -> str:
    return "".join(f"{chance(*seed, part):016x}" for part in range(-(-digits // 16)))[:digits]
