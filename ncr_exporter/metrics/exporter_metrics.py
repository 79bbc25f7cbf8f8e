"""The exporter's own metrics: label sets that never shrink, as prometheus_client expects."""

import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import prometheus_client
from prometheus_client import (
    CollectorRegistry,
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
from ncr_exporter.metrics.families.catalogue import FAMILIES
from ncr_exporter.metrics.families.exporter import BUCKETS, OPERATIONS, REASONS
from ncr_exporter.metrics.families.family import Family
from ncr_exporter.metrics.rendering import header, label_pair, series


class Counters:
    """One family of counters; the first of its labels is the registry."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._counts: dict[tuple[str, ...], int] = {}
        self._series: dict[tuple[str, ...], str] = {}

    def add(self, *labels: str) -> None:
        """Begin with a series at 0, so that a rate sees its first increase."""
        if labels not in self._counts:
            pairs = ",".join(map(label_pair, self._family.labels, labels))
            self._series[labels] = series(self._family.name, pairs)
            self._counts[labels] = 0

    def count(self, *labels: str, by: int = 1) -> None:
        """Count one more, or several."""
        self.add(*labels)
        self._counts[labels] += by

    def remove(self, registry: str) -> None:
        """Remove a registry's series."""
        for labels in [labels for labels in self._counts if labels[0] == registry]:
            del self._counts[labels], self._series[labels]

    def text(self, *, openmetrics: bool) -> bytes:
        """Return the family."""
        lines = [f"{self._series[labels]} {count}\n" for labels, count in self._counts.items()]
        return header(self._family, openmetrics=openmetrics) + "".join(lines).encode()


@dataclass(frozen=True)
class AccountUse:
    """How one registry's account is used at this moment."""

    registry: str
    limit: float
    planned: float
    """Both in requests per second."""
    throttled_seconds: float


class ExporterMetrics:
    """Listens to the API client (`ncr.observer.ClientMetrics`) and renders what it heard."""

    def __init__(self, series: Callable[[], int]) -> None:
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
            *_described("ncr_api_request_duration_seconds"),
            registry=self._registry,
            buckets=BUCKETS,
        )
        self._gauge("ncr_exporter_build_info").labels(__version__, platform.python_version()).set(1)
        self._gauge("ncr_exporter_series").set_function(series)
        self._config_hash = self._gauge("ncr_exporter_config_hash")
        self._reloaded = self._gauge("ncr_exporter_config_last_reload_successful")
        self._reloaded_at = self._gauge("ncr_exporter_config_last_reload_success_timestamp_seconds")
        self._registries: set[str] = set()
        for operation in OPERATIONS:
            self._duration.labels(operation)

    def configured(self, digest: str, at: float) -> None:
        """Note the configuration in force: its SHA-256 in hex, and when it was read."""
        # 48 bits: what a float holds exactly, as Alertmanager does it.
        self._config_hash.set(int(digest[:12] or "0", 16))
        self._reloaded.set(1)
        self._reloaded_at.set(at)

    def not_configured(self) -> None:
        """Note that the file was not usable when it was read last."""
        self._reloaded.set(0)

    def add_registry(self, label: str) -> None:
        """Create every series of a registry, so that a rate sees its first failure."""
        if label in self._registries:
            return
        self._registries.add(label)
        for operation in OPERATIONS:
            for counters in self._by_operation:
                counters.add(label, operation)
            for reason in REASONS:
                self._failures.add(label, operation, reason)

    def remove_registry(self, label: str) -> None:
        """Remove every series of a registry that is gone."""
        self._registries.discard(label)
        for counters in self._counters:
            counters.remove(label)
        self._skew.remove_by_labels({"registry": label})

    def watch(self, accounts: Callable[[], Iterable[AccountUse]]) -> None:
        """Publish how accounts are used, asked for at each scrape."""
        self._registry.register(_Accounts(accounts))

    def record_attempt(
        self, registry: str, operation: str, seconds: float | None, reason: str | None
    ) -> None:
        """Count an attempt; `seconds` is None where nothing was sent."""
        if seconds is not None:
            self._requests.count(registry, operation)
            self._duration.labels(operation).observe(seconds)
        if reason is not None:
            self._failures.count(registry, operation, reason)

    def record_retry(self, registry: str, operation: str) -> None:
        """Count a retry."""
        self._retries.count(registry, operation)

    def record_malformed(self, registry: str, operation: str, records: int) -> None:
        """Count records and fields that held nothing usable."""
        self._malformed.count(registry, operation, by=records)

    def record_count_mismatch(self, registry: str, operation: str) -> None:
        """Count a listing whose names differ from its count."""
        self._mismatches.count(registry, operation)

    def record_clock_skew(self, registry: str, seconds: float) -> None:
        """Note the API's clock minus ours."""
        self._skew.labels(registry).set(seconds)

    def text(self, *, openmetrics: bool) -> bytes:
        """Return these metrics; in OpenMetrics they end the exposition with `# EOF`."""
        counted = [counters.text(openmetrics=openmetrics) for counters in self._counters]
        rest = (generate_openmetrics if openmetrics else generate_latest)(self._registry)
        return b"".join((*counted, rest))

    def _gauge(self, name: str) -> Gauge:
        return Gauge(*_described(name), registry=self._registry)


class _Accounts(Collector):
    def __init__(self, accounts: Callable[[], Iterable[AccountUse]]) -> None:
        self._accounts = accounts

    def collect(self) -> Iterator[Metric]:
        uses = list(self._accounts())
        throttled = CounterMetricFamily(
            *_described("ncr_api_throttled_seconds_total")[:2], labels=["registry"]
        )
        limit, planned = (
            GaugeMetricFamily(*_described(name)[:2], labels=["registry"])
            for name in ("ncr_api_requests_per_second_limit", "ncr_api_requests_per_second_planned")
        )
        for use in uses:
            throttled.add_metric([use.registry], use.throttled_seconds)
            limit.add_metric([use.registry], use.limit)
            planned.add_metric([use.registry], use.planned)
        yield from (throttled, limit, planned)


def _described(name: str) -> tuple[str, str, tuple[str, ...]]:
    """Return name, HELP and labels as the catalogue has them."""
    family = FAMILIES[name]
    return name, family.help_text, family.labels
