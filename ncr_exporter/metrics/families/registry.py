"""Families with values per registry."""

from collections.abc import Iterable

from ncr_exporter.metrics.families.family import (
    REGISTRY_LABELS,
    RegistryFamily,
    Sample,
    flag,
    one_sample,
)
from ncr_exporter.state.model import RegistryState


def _unlisted_changes(state: RegistryState) -> int | None:
    relists = any(rule.timing.relist_after is not None for rule in state.target.rules)
    return state.unlisted_changes if relists and not state.target.is_every else None


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
        samples=one_sample(lambda state: flag(state.up)),
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
        samples=one_sample(lambda state: flag(state.public)),
    ),
    RegistryFamily(
        "ncr_registry_scan_on_push",
        "1 if pushes are scanned for vulnerabilities, else 0, as of the last registry list. Absent "
        "if that list may not be read. The results are in the vendor's console alone.",
        labels=REGISTRY_LABELS,
        samples=one_sample(lambda state: flag(state.scan_on_push)),
    ),
    RegistryFamily(
        "ncr_registry_unlisted_changes_total",
        "Tag lists that had changed although the image list did not tell. Since the first of them "
        "relist_after is not applied to the registry. Present where relist_after is configured.",
        labels=REGISTRY_LABELS,
        type="counter",
        samples=one_sample(_unlisted_changes),
    ),
    RegistryFamily(
        "ncr_registry_glob_images",
        "Images that a glob of the configuration matched, as of the last image list. 0 is most "
        "likely a typing error.",
        labels=(*REGISTRY_LABELS, "glob"),
        samples=lambda state: [((glob,), images) for glob, images in state.glob_images],
    ),
    RegistryFamily(
        "ncr_registry_excluded_images",
        "Images that a pattern of `exclude` left out, as of the last image list. 0 is most likely "
        "a typing error.",
        labels=(*REGISTRY_LABELS, "glob"),
        samples=lambda state: [((glob,), images) for glob, images in state.exclude_images],
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
        "that names none. Host, image and tag make the reference that Kubernetes shows. `access` "
        "repeats `endpoint`, a label that targets of the Prometheus operator have themselves.",
        labels=(*REGISTRY_LABELS, "host", "endpoint", "access"),
        samples=lambda state: [((host, kind, kind), 1) for host, kind in state.hosts],
    ),
)
