"""Families with values per registry."""

from collections.abc import Callable, Iterable

from ncr_exporter.metrics.families.family import Number, RegistryFamily, Sample
from ncr_exporter.state.model import RegistryState

_REGISTRY = ("registry",)


def _of_registry(
    value: Callable[[RegistryState], Number | None],
) -> Callable[[RegistryState], list[Sample]]:
    """Return samples of one value per registry; unknown is absent."""

    def samples(state: RegistryState) -> list[Sample]:
        number = value(state)
        return [] if number is None else [((), number)]

    return samples


def _info(state: RegistryState) -> Iterable[Sample]:
    if state.target.is_every:
        return []
    return [((state.target.region, state.target.account.zone), 1)]


def _scan_on_push(state: RegistryState) -> int | None:
    told = state.description
    return None if told is None or told.scan_on_push is None else int(told.scan_on_push)


REGISTRY_FAMILIES: tuple[RegistryFamily, ...] = (
    RegistryFamily(
        "ncr_registry_up",
        "1 if the last image list succeeded, 0 if it failed; absent before the first. For "
        'registry="*", of the list of all registries.',
        _REGISTRY,
        samples=_of_registry(lambda state: None if state.up is None else int(state.up)),
    ),
    RegistryFamily(
        "ncr_registry_images",
        "Images of the registry, before globs choose among them, as of the last image list.",
        _REGISTRY,
        samples=_of_registry(lambda state: state.images),
    ),
    RegistryFamily(
        "ncr_registry_last_success_timestamp_seconds",
        "When the image list last succeeded.",
        _REGISTRY,
        samples=_of_registry(lambda state: state.last_success),
    ),
    RegistryFamily(
        "ncr_registry_public",
        "1 if anyone may pull without logging in, else 0, as of the last registry list; absent "
        "where that may not be read.",
        _REGISTRY,
        samples=_of_registry(lambda state: None if state.public is None else int(state.public)),
    ),
    RegistryFamily(
        "ncr_registry_scan_on_push",
        "1 if pushes are scanned for vulnerabilities, else 0, as of the last registry list; absent "
        "where that may not be read. The results are in the vendor's console alone.",
        _REGISTRY,
        samples=_of_registry(_scan_on_push),
    ),
    RegistryFamily(
        "ncr_registry_glob_images",
        "Images that a glob of the configuration matched at the last image list. 0 is most likely "
        "a typing error.",
        (*_REGISTRY, "glob"),
        samples=lambda state: [((glob,), images) for glob, images in state.glob_images],
    ),
    RegistryFamily(
        "ncr_registry_info",
        "1; where the registry is.",
        (*_REGISTRY, "region", "zone"),
        samples=_info,
    ),
    RegistryFamily(
        "ncr_registry_host_info",
        "1; hosts to pull from, by the last registry list, else by the documented pattern. With "
        "an image and a tag of the registry they make the reference that Kubernetes shows.",
        (*_REGISTRY, "host", "endpoint", "access"),
        samples=lambda state: [((host, kind, kind), 1) for host, kind in state.hosts],
    ),
)
