"""Records as the API sends them. Source of names and types: the vendor's API reference."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ncr_exporter.simulator.releases import NEVER, START, SimulatedImage, chance

JsonRecord = dict[str, Any]
"""One item of `results` in a page of a list."""

_MEDIA_TYPE = "application/vnd.docker.container.image.v1+json"
_REPRESENTATIVE = "linux/amd64"
"""The platform whose manifest and size a tag has; where it is missing, the first one's."""
_SIGNATURE = 250
_ATTESTATION = 17_000
"""Bytes of a signature, and of an attestation."""


def registry_record(name: str, *, public: bool) -> JsonRecord:
    """Return a record of the registry list, with hosts in the documented pattern."""
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
) -> JsonRecord:
    """Return a record of the image list."""
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


def tag_record(
    registry: str, image: SimulatedImage, number: int, name: str, now: int
) -> JsonRecord:
    """Return a record of the tag list: release `number` under the tag `name`.

    Its digest and size are those of the representative platform, never of an index.
    """
    platforms = [_platform_record(image, number, platform, now) for platform in image.platforms]
    attestations = [_attestation_record(image, number, each) for each in image.attested]
    record = _tag_record(registry, image, number, name, [*platforms, *attestations])
    quirk = QUIRKS.get(name) if number < 0 else None
    return quirk(record) if quirk else record


def signature_record(registry: str, image: SimulatedImage, number: int) -> JsonRecord:
    """Return a record of the tag list: the signature of a release, as cosign stores it."""
    subject = _digest(image.name, number, _representative(image.platforms))
    name = f"{subject.replace(':', '-')}.sig"
    manifest = _manifest_record(
        "/", _digest(image.name, number, "signature"), image.built(number), _SIGNATURE
    )
    return _tag_record(registry, image, number, name, [manifest])


def _tag_record(
    registry: str, image: SimulatedImage, number: int, name: str, manifests: list[JsonRecord]
) -> JsonRecord:
    first = next((each for each in manifests if _is_representative(each)), manifests[0])
    return {
        "creator": _account(registry),
        "digest": first["digest"],
        "full_size": first["size"],
        "id": chance("tag", registry, image.name, name) % 10**9,
        "image_id": chance("image", registry, image.name) % 10**6,
        "images": manifests,
        "last_updated": image.built(number),
        "last_updater": _account(registry),
        "name": name,
        "repository": chance("registry", registry) % 10**4,
        "v2": True,
    }


def _representative(platforms: Sequence[str]) -> str:
    return _REPRESENTATIVE if _REPRESENTATIVE in platforms else platforms[0]


def _is_representative(manifest: JsonRecord) -> bool:
    return f"{manifest['os']}/{manifest['architecture']}" == _REPRESENTATIVE


def _platform_record(image: SimulatedImage, number: int, platform: str, now: int) -> JsonRecord:
    digest = _digest(image.name, number, platform)
    size, pulled = image.size_on(number, platform), image.pulled(number, platform, now)
    return _manifest_record(platform, digest, image.built(number), size, pulled)


def _attestation_record(image: SimulatedImage, number: int, platform: str) -> JsonRecord:
    """Return what buildx adds to an index for each platform: its provenance, for no platform."""
    digest = _digest(image.name, number, platform, "attestation")
    return _manifest_record("unknown/unknown", digest, image.built(number), _ATTESTATION)


def _manifest_record(
    platform: str, digest: str, built: int, size: int, pulled: int = NEVER
) -> JsonRecord:
    system, architecture, variant = (*platform.split("/"), None)[:3]
    return {
        "architecture": architecture,
        "created": built,
        "digest": digest,
        "features": "",
        "latest_pulled": pulled,
        "mediaType": _MEDIA_TYPE,
        "os": system,
        "os_features": "",
        "os_version": None,
        "size": size,
        "updated": built,
        "variant": variant,
    }


def _without_platforms(tag: JsonRecord) -> JsonRecord:
    return tag | {"images": []}


def _without_update(tag: JsonRecord) -> JsonRecord:
    return tag | {"last_updated": None}


def _without_digests(tag: JsonRecord) -> JsonRecord:
    bare = [_without(platform, "digest") for platform in tag["images"]]
    return _without(tag, "digest") | {"images": bare}


def _without_size(tag: JsonRecord) -> JsonRecord:
    return tag | {"full_size": 0}


QUIRKS: Mapping[str, Callable[[JsonRecord], JsonRecord]] = {
    "0.1-import": _without_platforms,
    "0.2-import": _without_update,
    "0.3-import": _without_digests,
    "0.4-import": _without_size,
}
"""Tag → how its record is incomplete. Real registries have records with each of these gaps."""


def _without(record: JsonRecord, key: str) -> JsonRecord:
    return {name: value for name, value in record.items() if name != key}


def _digest(*seed: object) -> str:
    return f"sha256:{_hex(64, 'digest', *seed)}"


def _account(registry: str) -> str:
    """Return the id of the account that pushes to a registry."""
    return str(uuid.UUID(hex=_hex(32, "account", registry)))


def _hex(digits: int, *seed: object) -> str:
    return "".join(f"{chance(*seed, part):016x}" for part in range(-(-digits // 16)))[:digits]
