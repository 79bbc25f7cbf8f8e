"""One account in one region: list its registries; begin with new ones, end those that are gone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import structlog

from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.ncr.wire import ListedRegistry
from ncr_exporter.polling import events, images
from ncr_exporter.polling.context import Polling
from ncr_exporter.state.model import Description, Failure, Hosts
from ncr_exporter.state.presence import ABSENCES_BELIEVED
from ncr_exporter.targets.targets import Catalog, RegistryTarget

log = structlog.get_logger()


@dataclass
class Watch:
    """Lists one catalog's registries, and knows what its lists said so far."""

    polling: Polling
    catalog: Catalog
    failure: Failure | None = None
    absences: dict[RegistryTarget, int] = field(default_factory=dict)
    """Registries that a list found → complete lists in a row that lacked them since."""

    @property
    def named(self) -> Iterator[RegistryTarget]:
        """The registries that the configuration names, and what stands for all of them."""
        yield from self.catalog.named
        if self.catalog.every is not None:
            yield self.catalog.every

    def begin(self) -> None:
        """Start listing; what lists found before the start is polled already."""
        found = self.catalog.found(self.polling.kept.found_by(self.catalog))
        self.absences = dict.fromkeys(found, 0)
        key, interval = self.catalog.key, self.catalog.timing.interval
        is_known = self.catalog.every is None or bool(self.absences)
        self.polling.begin(
            key, self.catalog.account, interval, self.list_registries, tried=is_known
        )

    def take(self, catalog: Catalog) -> None:
        """Go on as another configuration wants it; registries it still asks for stay found."""
        self.catalog = catalog
        before = {registry.path.name: count for registry, count in self.absences.items()}
        self.absences = {found: before[found.path.name] for found in catalog.found(before)}
        self.polling.change(catalog.key, catalog.account, catalog.timing)

    def adopt(self, polled: Iterable[RegistryTarget]) -> None:
        """Go on with registries that were named before: what is still asked for must not leave."""
        here = [registry for registry in polled if self._is_here(registry)]
        for found in self.catalog.found(registry.path.name for registry in here):
            self.absences.setdefault(found, 0)

    def _is_here(self, registry: RegistryTarget) -> bool:
        place = (registry.account, registry.path.prefix)
        return place == (self.catalog.account, self.catalog.prefix) and not registry.is_every

    def keep(self, wanted: Callable[[RegistryTarget], bool]) -> None:
        """Go on only with those of the registries found."""
        self.absences = {found: n for found, n in self.absences.items() if wanted(found)}

    def end(self) -> None:
        """Stop listing; the registries are ended by who knows whether another asks for them."""
        self.polling.end(self.catalog.key)

    async def list_registries(self) -> bool:
        """List once; tell whether that succeeded."""
        client = self.polling.clients[self.catalog.account]
        before, label = self.failure, self.catalog.label
        try:
            listed = await client.registries(label, self.catalog.prefix)
        except ApiError as error:
            self.failure = events.failed("registry list", before, error, registry=label)
            if self.catalog.every is not None:
                self.polling.store.list_failed(label, self.failure)
            return False
        self.failure = None
        interval = self.catalog.timing.interval
        self.polling.plan(self.catalog.key, self.catalog.account, interval, listed.pages)
        found = {registry.name: registry for registry in listed.records}
        self._listed(found, whole=not listed.left_out)
        events.succeeded("registry list", before, registry=label, registries=len(found))
        return True

    def _listed(self, listed: Mapping[str, ListedRegistry], *, whole: bool) -> None:
        """Take a list in; where names were left out of it, it does not tell what is gone."""
        now = self.polling.clock.time()
        if self.catalog.every is not None:
            self.polling.store.reached(self.catalog.label, at=round(now, 3))
            self._begin_found(listed, whole=whole)
        for registry in (*self.catalog.named, *self.absences):
            if told := listed.get(registry.path.name):
                images.describe(self.polling, registry, Description(now, _hosts(told), told.public))

    def _begin_found(self, listed: Mapping[str, ListedRegistry], *, whole: bool) -> None:
        found = list(self.catalog.found(listed))
        for registry in found:
            if registry not in self.absences and self._label_is_free(registry):
                images.begin(self.polling, registry)
                self.absences[registry] = 0
        for registry in list(self.absences):
            if whole or registry in found:
                self._count_absence(registry, present=registry in found)

    def _count_absence(self, registry: RegistryTarget, *, present: bool) -> None:
        self.absences[registry] = 0 if present else self.absences[registry] + 1
        if self.absences[registry] >= ABSENCES_BELIEVED:
            log.info("registry is gone", registry=registry.label)
            images.end(self.polling, registry)
            del self.absences[registry]

    def _label_is_free(self, registry: RegistryTarget) -> bool:
        """Refuse a registry whose label another account or region has: their values would mix."""
        if registry.label not in self.polling.store.registries:
            return True
        log.warning(
            "two registries have one name; the one found later is left out",
            registry=registry.label,
            remedy="name it in `registries` with a `label` of its own",
        )
        return False


def _hosts(told: ListedRegistry) -> Hosts:
    """Return the hosts that the list names."""
    named = ((told.public_host, "public"), (told.private_host, "private"))
    return tuple((host, endpoint) for host, endpoint in named if host)
