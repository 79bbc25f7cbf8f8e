"""Metrics about the API client and the exporter itself.

Counters by registry are rendered here: registries come and go, and there may be thousands.
prometheus_client renders the rest.
"""

import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import prometheus_client
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from ncr_exporter import __version__
from ncr_exporter.metrics.families import FAMILIES
from ncr_exporter.metrics.families.exporter import BUCKETS, REASONS
from ncr_exporter.metrics.families.family import Family
from ncr_exporter.metrics.rendering import header, label_pair, series
from ncr_exporter.ncr.paths import OPERATIONS


class Counters:
    """The counters of one family, whose first label is `registry`."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._counts: dict[tuple[str, ...], int] = {}
        self._series: dict[tuple[str, ...], str] = {}

    def add(self, *labels: str) -> None:
        """Create a counter at 0 if there is none, so that a rate sees its first increase."""
        if labels not in self._counts:
            pairs = ",".join(map(label_pair, self._family.labels, labels))
            self._series[labels] = series(self._family.name, pairs)
            self._counts[labels] = 0

    def count(self, *labels: str, by: int = 1) -> None:
        """Increase a counter by `by`."""
        self.add(*labels)
        self._counts[labels] += by

    def remove(self, registry: str) -> None:
        """Remove the counters of a registry."""
        for labels in [labels for labels in self._counts if labels[0] == registry]:
            del self._counts[labels], self._series[labels]

    def text(self, *, openmetrics: bool) -> bytes:
        """Return the family's part of the exposition."""
        lines = [f"{self._series[labels]} {count}\n" for labels, count in self._counts.items()]
        return header(self._family, openmetrics=openmetrics) + "".join(lines).encode()


@dataclass(frozen=True)
class AccountUse:
    """How the account of one registry is used at a moment."""

    registry: str
    limit: float
    """Requests per second that the account may send."""
    planned: float
    """Requests per second that the account's jobs need."""
    throttled_seconds: float
    """Seconds so far in which the account sent nothing because of a 429."""


class ExporterMetrics:
    """The metrics about the API client, as its `ncr.transport.ClientMetrics`, and the exporter."""

    def __init__(self, series: Callable[[], int]) -> None:
        """`series` returns the number of series about registries, images and tags."""
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # not annotated upstream
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._requests = Counters(FAMILIES["ncr_api_requests_total"])
        self._failures = Counters(FAMILIES["ncr_api_request_failures_total"])
        self._retries = Counters(FAMILIES["ncr_api_retries_total"])
        self._malformed = Counters(FAMILIES["ncr_api_malformed_records_total"])
        self._mismatches = Counters(FAMILIES["ncr_api_count_mismatches_total"])
        self._by_operation = (self._requests, self._retries, self._malformed, self._mismatches)
        self._counters = (*self._by_operation, self._failures)
        self._skew = self._gauge("ncr_api_clock_skew_seconds")
        self._duration = Histogram(
            *_declaration("ncr_api_request_duration_seconds"),
            registry=self._registry,
            buckets=BUCKETS,
        )
        self._gauge("ncr_exporter_build_info").labels(__version__, platform.python_version()).set(1)
        self._gauge("ncr_exporter_series").set_function(series)
        self._config_hash = self._gauge("ncr_exporter_config_hash")
        self._reloaded = self._gauge("ncr_exporter_config_last_reload_successful")
        self._reloaded_at = self._gauge("ncr_exporter_config_last_reload_success_timestamp_seconds")
        self.open_connections: Callable[[], int] = lambda: 0
        """Returns how many connections are open; called at each scrape."""
        self.dropped_log_lines: Callable[[], int] = lambda: 0
        """Returns how many log lines were dropped so far; called at each scrape."""
        self._gauge("ncr_exporter_open_connections").set_function(self._count_connections)
        self._registry.register(_DroppedLinesCollector(self))
        self._state_write_failures: Counter | None = None
        self._state_written_at: Gauge | None = None
        self._registries: set[str] = set()
        for operation in OPERATIONS:
            self._duration.labels(operation)

    def record_config(self, digest: str, at: float) -> None:
        """Record the configuration in force: its SHA-256 in hex, and when it was read (s)."""
        # 48 bits are what a float holds exactly; Alertmanager publishes its hash so, too.
        self._config_hash.set(int(digest[:12] or "0", 16))
        self._reloaded.set(1)
        self._reloaded_at.set(at)

    def record_reload_failure(self) -> None:
        """Record that the configuration file could not be used when it was last read."""
        self._reloaded.set(0)

    def publish_state_writes(self) -> None:
        """Publish how writing the state goes: an exporter without storage writes none."""
        failures = _declaration("ncr_exporter_state_write_failures_total")
        self._state_write_failures = Counter(*failures, registry=self._registry)

    def record_state_write(self, at: float) -> None:
        """Record that the state file is of the moment `at` (s since the epoch)."""
        if self._state_written_at is None:  # absent before the first: 0 would be a date
            self._state_written_at = self._gauge("ncr_exporter_state_last_write_timestamp_seconds")
        self._state_written_at.set(at)

    def record_state_write_failure(self) -> None:
        """Count an attempt to write the state that failed."""
        if self._state_write_failures is not None:
            self._state_write_failures.inc()

    def add_registry(self, label: str) -> None:
        """Create all counters of a registry at 0, so that a rate sees its first failure."""
        if label in self._registries:
            return
        self._registries.add(label)
        for operation in OPERATIONS:
            for counters in self._by_operation:
                counters.add(label, operation)
            for reason in REASONS:
                self._failures.add(label, operation, reason)

    def remove_registry(self, label: str) -> None:
        """Remove all series of a registry."""
        self._registries.discard(label)
        for counters in self._counters:
            counters.remove(label)
        self._skew.remove_by_labels({"registry": label})

    def publish_account_uses(self, uses: Callable[[], Iterable[AccountUse]]) -> None:
        """Publish how accounts are used; `uses` is called at each scrape."""
        self._registry.register(_AccountUseCollector(uses))

    def record_attempt(
        self, registry: str, operation: str, seconds: float | None, reason: str | None
    ) -> None:
        """Count an attempt that took `seconds`; None if nothing was sent.

        `reason` is the reason of its failure; None if it succeeded.
        """
        if seconds is not None:
            self._requests.count(registry, operation)
            self._duration.labels(operation).observe(seconds)
        if reason is not None:
            self._failures.count(registry, operation, reason)

    def record_retry(self, registry: str, operation: str) -> None:
        """Count a retry."""
        self._retries.count(registry, operation)

    def record_malformed(self, registry: str, operation: str, records: int) -> None:
        """Count records left out and fields taken as unknown."""
        self._malformed.count(registry, operation, by=records)

    def record_count_mismatch(self, registry: str, operation: str) -> None:
        """Count a listing whose number of names differs from its `count`."""
        self._mismatches.count(registry, operation)

    def record_clock_skew(self, registry: str, seconds: float) -> None:
        """Record the API's clock minus the exporter's."""
        self._skew.labels(registry).set(seconds)

    def text(self, *, openmetrics: bool) -> bytes:
        """Return these metrics; in OpenMetrics with the `# EOF` that ends an exposition."""
        counted = [counters.text(openmetrics=openmetrics) for counters in self._counters]
        rest = (generate_openmetrics if openmetrics else generate_latest)(self._registry)
        return b"".join((*counted, rest))

    def _count_connections(self) -> int:
        return self.open_connections()

    def _gauge(self, name: str) -> Gauge:
        return Gauge(*_declaration(name), registry=self._registry)


class _DroppedLinesCollector(Collector):
    def __init__(self, metrics: ExporterMetrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        name, help_text, _ = _declaration("ncr_exporter_log_lines_dropped_total")
        yield CounterMetricFamily(name, help_text, value=self._metrics.dropped_log_lines())


class _AccountUseCollector(Collector):
    def __init__(self, uses: Callable[[], Iterable[AccountUse]]) -> None:
        self._uses = uses

    def collect(self) -> Iterator[Metric]:
        throttled = CounterMetricFamily(
            *_declaration("ncr_api_throttled_seconds_total")[:2], labels=["registry"]
        )
        limit, planned = (
            GaugeMetricFamily(*_declaration(name)[:2], labels=["registry"])
            for name in ("ncr_api_requests_per_second_limit", "ncr_api_requests_per_second_planned")
        )
        for use in self._uses():
            throttled.add_metric([use.registry], use.throttled_seconds)
            limit.add_metric([use.registry], use.limit)
            planned.add_metric([use.registry], use.planned)
        yield from (throttled, limit, planned)


def _declaration(name: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the name, HELP and labels of a family, as prometheus_client takes them."""
    family = FAMILIES[name]
    return name, family.help_text, family.labels
