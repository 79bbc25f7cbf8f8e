"""Families with values per registry."""

from collections.abc import Iterable

from ncr_exporter.metrics.families.family import (
    REGISTRY_LABELS,
    RegistryFamily,
    Sample,
    one_sample,
)
from ncr_exporter.state.model import RegistryState


def _region_and_zone(state: RegistryState) -> Iterable[Sample]:
    if state.target.is_every:  # an account's registries, not one
        return []
    return [((state.target.region, state.target.account.zone), 1)]


REGISTRY_FAMILIES: tuple[RegistryFamily, ...] = (
    RegistryFamily(
        "ncr_registry_up",
        "1 if the last image list succeeded, 0 if it failed. Absent before the first list. For "
        'registry="*" it is about the list of all registries.',
        labels=REGISTRY_LABELS,
        samples=one_sample(lambda state: None if state.up is None else int(state.up)),
    ),
    RegistryFamily(
        "ncr_registry_images",
        "All images of the registry, polled or not, as of the last image list.",
        labels=REGISTRY_LABELS,
        samples=one_sample(lambda state: state.images),
    ),
    RegistryFamily(
        "ncr_registry_last_success_timestamp_seconds",
        'Time of the last successful image list. For registry="*" it is about the list of all '
        "registries.",
        labels=REGISTRY_LABELS,
        samples=one_sample(lambda state: state.last_success),
    ),
    RegistryFamily(
        "ncr_registry_public",
        "1 if anyone may pull without logging in, else 0, as of the last registry list. Absent if "
        "that list may not be read.",
        labels=REGISTRY_LABELS,
        samples=one_sample(lambda state: None if state.public is None else int(state.public)),
    ),
    RegistryFamily(
        "ncr_registry_info",
        "Always 1. The labels say where the registry is.",
        labels=(*REGISTRY_LABELS, "region", "zone"),
        samples=_region_and_zone,
    ),
    RegistryFamily(
        "ncr_registry_host_info",
        "Always 1. A host to pull from, as of the last registry list; by the documented pattern if "
        "that names none. Host, image and tag make the reference that Kubernetes shows.",
        labels=(*REGISTRY_LABELS, "host", "endpoint"),
        samples=lambda state: [(host_and_endpoint, 1) for host_and_endpoint in state.hosts],
    ),
)
