"""Tags that belong to another manifest: signatures, attestations and SBOMs.

cosign, and registries without the referrers API, store what belongs to an image as a tag whose
name is the digest of its subject. Sources: cosign's signature specification, and the OCI
distribution specification, "Referrers Tag Schema".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ncr_exporter.inventory.records import Tag

_NAME = re.compile(r"\Asha256-(?P<digest>[0-9a-f]{64})(?:\.(?P<kind>sig|att|sbom))?\Z")
_LEVELS = 4
"""How deep attachments of attachments are followed: SBOMs are signed, nothing goes deeper."""
_KINDS = {"sig": "signature", "att": "attestation", "sbom": "SBOM", None: "attachment"}


class Attachment(NamedTuple):
    """What the name of an attached tag says."""

    kind: str
    """`signature`, `attestation`, `SBOM` or `attachment`."""
    subject: str
    """The digest that it belongs to, as `sha256:…`."""


def attachment_of(name: str) -> Attachment | None:
    """Return what a tag is attached to by its name, or None for a tag of its own."""
    if not name.startswith("sha256-"):  # nearly every name, and a fifth of the cost
        return None
    match = _NAME.match(name)
    return match and Attachment(_KINDS[match["kind"]], f"sha256:{match['digest']}")


def names_by_digest(tags: Iterable[Tag]) -> dict[str, list[str]]:
    """Return the names of the tags of each digest, their own and their platforms'.

    The most recently pulled tag of each digest comes first.
    """
    names: dict[str, list[str]] = {}
    for tag in sorted(tags, key=lambda tag: (-(tag.pulled or 0), tag.name)):
        for digest in tag.digests:
            names.setdefault(digest, []).append(tag.name)
    return names


def attached_staleness(
    attached: Mapping[str, Attachment],
    names_of: Mapping[str, Sequence[str]],
    stale: Mapping[str, bool],
) -> dict[str, bool]:
    """Return whether each attached tag is stale; those of which it is unknown are missing.

    It is live as long as one tag of its subject's digest is, and stale when all of those are.
    `names_of` holds the names of the tags of each digest, `stale` whether tags of their own are.
    """
    found: dict[str, bool] = {}
    subjects = {attachment.subject for attachment in attached.values()}
    for _ in range(_LEVELS):
        known = {**stale, **found}
        of_subject = {digest: _staleness(names_of.get(digest, ()), known) for digest in subjects}
        further = {
            name: is_stale
            for name, attachment in attached.items()
            if name not in found and (is_stale := of_subject[attachment.subject]) is not None
        }
        if not further:
            break
        found |= further
    return found


def _staleness(names: Sequence[str], stale: Mapping[str, bool]) -> bool | None:
    """Return whether everything that tags name is stale, or None where that is unknown."""
    states = [stale.get(name) for name in names]
    if False in states:
        return False
    return None if None in states or not states else True
