"""The exporter's own metrics, read back from both formats."""

import pytest

from ncr_exporter import __version__
from ncr_exporter.metrics.exporter_metrics import AccountUse, ExporterMetrics
from ncr_exporter.metrics.families.exporter import EXPORTER_FAMILIES, REASONS
from ncr_exporter.ncr.paths import OPERATIONS
from tests.support.expositions import families_of, samples_of


@pytest.fixture
def own() -> ExporterMetrics:
    own = ExporterMetrics(series=lambda: 42)
    for label in ("a", "b"):
        own.add_registry(label)
    return own


def value(own: ExporterMetrics, name: str, **labels: str) -> float | None:
    samples = samples_of(own.text(openmetrics=False).decode())
    return samples.get((name, tuple(sorted(labels.items()))))


def test_every_reason_of_every_registry_and_operation_is_there_from_the_start(
    own: ExporterMetrics,
) -> None:
    for registry in ("a", "b"):
        for operation in OPERATIONS:
            labels = {"registry": registry, "operation": operation}
            assert value(own, "ncr_api_requests_total", **labels) == 0
            for reason in REASONS:
                failures = value(own, "ncr_api_request_failures_total", **labels, reason=reason)
                assert failures == 0


def test_a_failed_attempt_is_counted_as_request_and_as_failure(own: ExporterMetrics) -> None:
    own.record_attempt("a", "tag_list", 0.3, "server")
    labels = {"registry": "a", "operation": "tag_list"}
    assert value(own, "ncr_api_requests_total", **labels) == 1
    assert value(own, "ncr_api_request_failures_total", **labels, reason="server") == 1
    bucket = {"operation": "tag_list", "le": "0.5"}
    assert value(own, "ncr_api_request_duration_seconds_bucket", **bucket) == 1
    assert value(own, "ncr_api_request_duration_seconds_bucket", **bucket | {"le": "0.25"}) == 0


def test_a_request_that_was_never_sent_is_a_failure_but_no_request(own: ExporterMetrics) -> None:
    own.record_attempt("a", "tag_list", None, "throttled")
    labels = {"registry": "a", "operation": "tag_list"}
    assert value(own, "ncr_api_requests_total", **labels) == 0
    assert value(own, "ncr_api_request_failures_total", **labels, reason="throttled") == 1


def test_retries_malformed_records_and_mismatches_are_counted(own: ExporterMetrics) -> None:
    own.record_retry("a", "tag_list")
    own.record_malformed("a", "tag_list", 3)
    own.record_count_mismatch("a", "tag_list")
    labels = {"registry": "a", "operation": "tag_list"}
    assert value(own, "ncr_api_retries_total", **labels) == 1
    assert value(own, "ncr_api_malformed_records_total", **labels) == 3
    assert value(own, "ncr_api_count_mismatches_total", **labels) == 1


def test_the_clocks_difference_is_absent_until_an_answer_tells_it(own: ExporterMetrics) -> None:
    assert value(own, "ncr_api_clock_skew_seconds", registry="a") is None
    own.record_clock_skew("a", -412.0)
    assert value(own, "ncr_api_clock_skew_seconds", registry="a") == -412


def test_accounts_are_asked_at_each_scrape(own: ExporterMetrics) -> None:
    uses = [AccountUse("a", limit=5.0, planned=0.5, throttled_seconds=7.0)]
    own.publish_account_uses(lambda: uses)
    assert value(own, "ncr_api_requests_per_second_limit", registry="a") == 5
    assert value(own, "ncr_api_requests_per_second_planned", registry="a") == 0.5
    assert value(own, "ncr_api_throttled_seconds_total", registry="a") == 7
    uses[0] = AccountUse("a", limit=5.0, planned=1.5, throttled_seconds=8.0)
    assert value(own, "ncr_api_requests_per_second_planned", registry="a") == 1.5


def test_version_series_and_configuration_are_published(own: ExporterMetrics) -> None:
    own.record_config("ff" * 32, 1_760_000_000.0)
    text = own.text(openmetrics=False).decode()
    assert f'version="{__version__}"' in text
    assert value(own, "ncr_exporter_series") == 42
    assert value(own, "ncr_exporter_config_hash") == 0xFFFFFFFFFFFF
    assert value(own, "ncr_exporter_config_last_reload_successful") == 1
    name = "ncr_exporter_config_last_reload_success_timestamp_seconds"
    assert value(own, name) == 1_760_000_000


def test_the_families_are_those_of_the_catalogue_with_its_help_and_labels(
    own: ExporterMetrics,
) -> None:
    own.publish_account_uses(lambda: [AccountUse("a", 5.0, 0.5, 7.0)])
    own.record_attempt("a", "tag_list", 0.3, "server")
    own.record_clock_skew("a", 0.5)
    own.record_config("ff" * 32, 0)
    own.publish_state_writes()
    own.record_state_write(1_700_000_000)
    live = {f.name: f for f in families_of(own.text(openmetrics=True).decode(), openmetrics=True)}
    for family in EXPORTER_FAMILIES:
        published = live.pop(family.openmetrics_name)
        assert (published.type, published.documentation) == (family.type, family.help_text)
        labels = {name for sample in published.samples for name in sample.labels} - {"le"}
        assert labels == set(family.labels)
    assert all(name.startswith(("process_", "python_")) for name in live)


def test_there_are_no_created_series(own: ExporterMetrics) -> None:
    assert b"_created" not in own.text(openmetrics=False)
    assert b"_created" not in own.text(openmetrics=True)


def test_the_series_of_a_registry_that_is_gone_leave(own: ExporterMetrics) -> None:
    own.record_attempt("a", "tag_list", 0.3, "server")
    own.record_clock_skew("a", 1.0)
    own.remove_registry("a")
    assert 'registry="a"' not in own.text(openmetrics=False).decode()
    assert 'registry="b"' in own.text(openmetrics=False).decode()


def test_how_the_state_is_written_is_absent_until_it_is_known(own: ExporterMetrics) -> None:
    written, failures = (
        "ncr_exporter_state_last_write_timestamp_seconds",
        "ncr_exporter_state_write_failures_total",
    )
    own.record_state_write_failure()
    assert (value(own, written), value(own, failures)) == (None, None), "nothing is stored"
    own.publish_state_writes()
    assert (value(own, written), value(own, failures)) == (None, 0)
    own.record_state_write_failure()
    own.record_state_write(1_700_000_000.5)
    assert (value(own, written), value(own, failures)) == (1_700_000_000.5, 1)
