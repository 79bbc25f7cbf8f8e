"""Registry lists: poll the registries that an account has, and stop when they are gone."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import structlog

from ncr_exporter.ncr.listing import Listing
from ncr_exporter.ncr.odd_counts import NOT_ODD
from ncr_exporter.ncr.pages import ListedRegistry
from ncr_exporter.polling import events
from ncr_exporter.polling.images import RegistryPoller
from ncr_exporter.polling.jobs import Jobs
from ncr_exporter.polling.scheduler import JobKey
from ncr_exporter.polling.tags import Clients
from ncr_exporter.runtime.clock import Clock
from ncr_exporter.state.model import Description, Failure, Hosts
from ncr_exporter.state.presence import ABSENCES_UNTIL_GONE, ListTrust
from ncr_exporter.state.saved import SavedState
from ncr_exporter.state.store import Store
from ncr_exporter.targets.targets import RegistryListTarget, RegistryTarget

log = structlog.get_logger()


class RegistryDiscovery:
    """Lists the registries of one account in one region, and remembers those found."""

    def __init__(  # noqa: PLR0913 -- what a list of registries needs, each by name
        self,
        target: RegistryListTarget,
        clients: Clients,
        store: Store,
        jobs: Jobs,
        *,
        clock: Clock,
        registries: RegistryPoller,
    ) -> None:
        self._target = target
        self._clients = clients
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._registries = registries
        self._failure: Failure | None = None
        self._trust = ListTrust()
        self._odd_count = NOT_ODD
        self._absences: dict[RegistryTarget, int] = {}
        """Each registry found → complete lists in a row that have lacked it since."""

    @property
    def named(self) -> Iterator[RegistryTarget]:
        """The registries that the configuration names, and the target of `"*"`."""
        yield from self._target.named
        if self._target.every is not None:
            yield self._target.every

    @property
    def found(self) -> tuple[RegistryTarget, ...]:
        """The registries found by lists."""
        return tuple(self._absences)

    def begin(self, saved: SavedState) -> None:
        """Start listing; registries found in an earlier run count as found."""
        target = self._target
        self._absences = dict.fromkeys(target.found(saved.found_by(target)), 0)
        # Readiness waits for the first list only if no registry could be polled without it.
        needs_no_list = target.every is None or bool(self._absences)
        self._jobs.begin(
            target.key,
            target.account,
            target.timing.interval,
            self._run,
            tried=needs_no_list,
        )

    def retarget(self, target: RegistryListTarget) -> None:
        """Continue under a changed target; registries that it still wants stay found."""
        self._target = target
        before = {registry.path.name: count for registry, count in self._absences.items()}
        self._absences = {found: before[found.path.name] for found in target.found(before)}
        self._jobs.change(target.key, target.account, target.timing)

    def adopt(self, polled: Iterable[RegistryTarget]) -> None:
        """Keep registries that were named before and that `"*"` stands for now."""
        here = [registry for registry in polled if self._is_here(registry)]
        for found in self._target.found(registry.path.name for registry in here):
            self._absences.setdefault(found, 0)

    def _is_here(self, registry: RegistryTarget) -> bool:
        place = (registry.account, registry.region)
        return place == (self._target.account, self._target.region) and not registry.is_every

    def retain(self, is_wanted: Callable[[RegistryTarget], bool]) -> None:
        """Forget the registries found that are not wanted."""
        self._absences = {found: n for found, n in self._absences.items() if is_wanted(found)}

    def end(self) -> None:
        """Stop listing. The caller ends the registries found, unless another list wants them."""
        self._jobs.end(self._target.key)

    async def _run(self, _: JobKey, __: float) -> bool:
        return await self.list_registries()

    async def list_registries(self) -> bool:
        """List the registries once and return whether that succeeded."""
        before, label = self._failure, self._target.label
        try:
            client = self._clients[self._target.account]
            listed = await client.registries(label, self._target.region, self._odd_count)
            await self._record(listed)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the list fails, and not the loop
            self._record_failure(label, error)
            return False
        self._failure = None
        events.log_success("registry list", before, registry=label, registries=len(listed.records))
        return True

    def _record_failure(self, label: str, raised: Exception) -> None:
        # A function of its own, as in `polling.images`: an error must not stay in its own frame.
        error = events.as_api_error(raised, self._failure, registry=label)
        self._failure = events.log_failure("registry list", self._failure, error, registry=label)
        if self._target.every is not None:
            self._store.record_list_failure(label, self._failure)

    async def _record(self, listed: Listing[ListedRegistry]) -> None:
        """Record a complete list: publish what it says, and begin and end registries."""
        now, target = self._clock.time(), self._target
        self._jobs.plan(target.key, target.account, target.timing.interval, listed.requests)
        self._odd_count = listed.odd_count
        records = {registry.name: registry for registry in listed.records}
        self._trust = self._trust.after_list(short=listed.is_short, left_out=listed.left_out)
        if target.every is not None:
            self._store.record_registry_list_success(target.label, at=round(now, 3))
            await self._begin_found(records)
        for registry in (*target.named, *self._absences):
            if record := records.get(registry.path.name):
                self._registries.publish_description(registry, _description(record, now))

    async def _begin_found(self, listed: Mapping[str, ListedRegistry]) -> None:
        """Begin the registries that a list holds, and end those that lists lack."""
        found = list(self._target.found(listed))
        begun = [it for it in found if it not in self._absences and self._label_is_free(it)]
        for registry in begun:
            self._registries.begin(registry)
            self._absences[registry] = 0
        for registry in self._absences:
            if self._trust.tells_what_is_gone or registry in found:
                self._absences[registry] = 0 if registry in found else self._absences[registry] + 1
        gone = [it for it, count in self._absences.items() if count >= ABSENCES_UNTIL_GONE]
        for registry in gone:
            log.info("registry is gone", registry=registry.label)
            del self._absences[registry]
        # Last what takes several turns of the event loop: a reload may come between.
        for registry in begun:
            await self._registries.adjust_images(registry)
        self._registries.list_restored(begun)
        for registry in gone:
            await self._registries.end(registry)

    def _label_is_free(self, registry: RegistryTarget) -> bool:
        """Return whether no other registry has this label; warn if one has.

        Two registries of one label, from different accounts or regions, would share their series.
        """
        if registry.label not in self._store.registries:
            return True
        log.warning(
            "two registries have one name; the one found later is left out",
            registry=registry.label,
            remedy="name it in `registries` with a `label` of its own",
        )
        return False


def _description(record: ListedRegistry, now: float) -> Description:
    return Description(now, _hosts(record), record.public, record.scan_on_push)


def _hosts(record: ListedRegistry) -> Hosts:
    """Return the hosts to pull from that a registry list names."""
    named = ((record.public_host, "public"), (record.private_host, "private"))
    return tuple((host, endpoint) for host, endpoint in named if host)
