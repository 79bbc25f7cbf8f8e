"""The table of families against the contract: names and labels are promises."""

import inspect
import re

import pytest

from ncr_exporter.metrics.families import FAMILIES, SECTIONS
from ncr_exporter.metrics.families.exporter import BUCKETS, REASONS
from ncr_exporter.metrics.families.family import Family
from ncr_exporter.ncr.paths import OPERATIONS
from tests.e2e import test_contract
from tests.oracle import samples
from tests.oracle.computation import (
    DAY_MS,
    Rules,
    busy_image,
    expected_image,
    expected_limits,
    expected_staleness,
    expected_tags,
)
from tests.support.states import NOW_MS

IMAGE = ("registry", "image")
TAG = ("registry", "image", "tag")
REGISTRY = ("registry",)
OPERATION = ("registry", "operation")

# What the contract's section 4 promises, written out.
PROMISED: dict[str, tuple[str, ...]] = {
    "ncr_image_tags": IMAGE,
    "ncr_image_attached_tags": IMAGE,
    "ncr_image_overwritten_tags_total": IMAGE,
    "ncr_image_info": (*IMAGE, "owner"),
    "ncr_image_size_bytes": IMAGE,
    "ncr_image_largest_tag_size_bytes": IMAGE,
    "ncr_image_newest_tag_size_bytes": IMAGE,
    "ncr_image_last_pulled_timestamp_seconds": IMAGE,
    "ncr_image_last_pulled_age_seconds": IMAGE,
    "ncr_image_last_updated_timestamp_seconds": IMAGE,
    "ncr_image_last_used_timestamp_seconds": IMAGE,
    "ncr_image_never_pulled_tags": IMAGE,
    "ncr_image_tags_without_series": IMAGE,
    "ncr_tag_size_bytes": TAG,
    "ncr_tag_last_pulled_timestamp_seconds": TAG,
    "ncr_tag_last_updated_timestamp_seconds": TAG,
    "ncr_tag_info": (*TAG, "digest"),
    "ncr_image_up": IMAGE,
    "ncr_image_last_success_timestamp_seconds": IMAGE,
    "ncr_image_poll_duration_seconds": IMAGE,
    "ncr_image_poll_interval_seconds": IMAGE,
    "ncr_image_polls_total": IMAGE,
    "ncr_image_poll_failures_total": IMAGE,
    "ncr_image_unchanged_polls_total": IMAGE,
    "ncr_api_requests_total": OPERATION,
    "ncr_api_request_failures_total": (*OPERATION, "reason"),
    "ncr_api_request_duration_seconds": ("operation",),
    "ncr_api_retries_total": OPERATION,
    "ncr_api_throttled_seconds_total": REGISTRY,
    "ncr_api_clock_skew_seconds": REGISTRY,
    "ncr_api_malformed_records_total": OPERATION,
    "ncr_api_requests_per_second_limit": REGISTRY,
    "ncr_api_requests_per_second_planned": REGISTRY,
    "ncr_exporter_build_info": ("version", "python"),
    "ncr_exporter_series": (),
    "ncr_exporter_open_connections": (),
    "ncr_exporter_log_lines_dropped_total": (),
    "ncr_exporter_config_hash": (),
    "ncr_exporter_config_last_reload_successful": (),
    "ncr_exporter_config_last_reload_success_timestamp_seconds": (),
    "ncr_exporter_state_last_write_timestamp_seconds": (),
    "ncr_exporter_state_write_failures_total": (),
    "ncr_image_stale_tags": IMAGE,
    "ncr_image_reclaimable_bytes": IMAGE,
    "ncr_image_pulls_total": IMAGE,
    "ncr_image_stale_after_seconds": IMAGE,
    "ncr_image_tag_size_limit_bytes": IMAGE,
    "ncr_image_tags_limit": IMAGE,
    "ncr_image_oversized_tags": IMAGE,
    "ncr_image_present": IMAGE,
    "ncr_tag_stale": TAG,
    "ncr_tag_platform_size_bytes": (*TAG, "os", "architecture", "variant"),
    "ncr_tag_platform_last_pulled_timestamp_seconds": (*TAG, "os", "architecture", "variant"),
    "ncr_registry_up": REGISTRY,
    "ncr_registry_images": REGISTRY,
    "ncr_registry_last_success_timestamp_seconds": REGISTRY,
    "ncr_registry_public": REGISTRY,
    "ncr_registry_info": ("registry", "region", "zone"),
    "ncr_registry_scan_on_push": REGISTRY,
    "ncr_registry_glob_images": ("registry", "glob"),
    "ncr_registry_excluded_images": ("registry", "glob"),
    "ncr_registry_host_info": ("registry", "host", "endpoint", "access"),
}

# What the contract does not name: "add to them freely", but on purpose.
ADDED: dict[str, tuple[str, ...]] = {
    "ncr_api_count_mismatches_total": OPERATION,
    "ncr_registry_unlisted_changes_total": REGISTRY,
}

COUNTERS = {
    "ncr_exporter_log_lines_dropped_total",
    "ncr_image_overwritten_tags_total",
    "ncr_image_polls_total",
    "ncr_image_poll_failures_total",
    "ncr_image_unchanged_polls_total",
    "ncr_registry_unlisted_changes_total",
    "ncr_image_pulls_total",
    "ncr_api_requests_total",
    "ncr_api_request_failures_total",
    "ncr_api_retries_total",
    "ncr_api_throttled_seconds_total",
    "ncr_api_malformed_records_total",
    "ncr_api_count_mismatches_total",
    "ncr_exporter_state_write_failures_total",
}

PROMISED_REASONS = {
    "authentication",
    "permission",
    "not_found",
    "throttled",
    "server",
    "timeout",
    "connection",
    "tls",
    "redirect",
    "malformed",
    "too_large",
    "other",
}

# What must be computed a second time, before anything can be compared with it.

NOT_OF_TAGS = {
    "ncr_image_info",
    "ncr_image_last_pulled_age_seconds",
    "ncr_image_overwritten_tags_total",
    "ncr_image_pulls_total",
}
"""Families about images that follow from the configuration, from the time, from two listings, and
from the image list."""


@pytest.fixture(scope="module")
def computed() -> set[str]:
    """The families that the second computation finds in a busy image."""
    tags, rules = busy_image(NOW_MS), Rules(400 * DAY_MS, 5, set(), 150_000_000, 300, 25)
    of_image = {
        **expected_image(tags, rules),
        **expected_staleness(tags, NOW_MS, rules),
        **expected_limits(tags, rules),
    }
    return {*of_image, *(name for name, _ in expected_tags(tags, NOW_MS, rules))}


@pytest.mark.parametrize(
    "name", sorted({f.name for f in (*SECTIONS["Per image"], *SECTIONS["Per tag"])} - NOT_OF_TAGS)
)
def test_a_family_about_an_image_or_its_tags_is_computed_a_second_time(
    name: str, computed: set[str]
) -> None:
    assert name in computed, f"compute {name} in tests/oracle/computation.py, too"


@pytest.mark.parametrize(
    "name",
    sorted({f.name for f in (*SECTIONS["Polling"], *SECTIONS["Per registry"])} | NOT_OF_TAGS),
)
def test_a_family_about_polls_and_lists_is_computed_a_second_time(name: str) -> None:
    sources = inspect.getsource(samples) + inspect.getsource(test_contract)
    assert f'"{name}"' in sources, f"compute {name} in tests/oracle/samples.py, too"


# Names, labels and HELP

every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def test_all_that_is_promised_is_there_with_its_labels() -> None:
    labels = {name: family.labels for name, family in FAMILIES.items()}
    assert {name: labels.get(name) for name in PROMISED} == PROMISED


@every_family
def test_nothing_is_published_that_the_contract_does_not_name(family: Family) -> None:
    assert family.labels == {**PROMISED, **ADDED}[family.name]


def test_no_name_stands_twice() -> None:
    names = [family.name for families in SECTIONS.values() for family in families]
    assert sorted(names) == sorted(FAMILIES)


@every_family
def test_names_are_ours_and_lower_case(family: Family) -> None:
    assert re.fullmatch(r"ncr_[a-z0-9_]+", family.name)
    assert "__" not in family.name
    assert all(re.fullmatch(r"[a-z]+", label) for label in family.labels)


@every_family
def test_counters_and_only_counters_end_in_total(family: Family) -> None:
    assert (family.type == "counter") == (family.name in COUNTERS)
    assert family.name.endswith("_total") == (family.name in COUNTERS)


def test_the_only_histogram_is_the_duration_of_requests() -> None:
    histograms = [name for name, family in FAMILIES.items() if family.type == "histogram"]
    assert histograms == ["ncr_api_request_duration_seconds"]


@every_family
def test_seconds_and_bytes_are_units_at_the_end_of_the_name(family: Family) -> None:
    units = re.findall(r"_(seconds|bytes|milliseconds|ms|kb|mb|minutes|hours|days)\b", family.name)
    units += re.findall(r"_(seconds|bytes)(?=_total)", family.name)
    assert [family.unit] == (units or [""])
    stem = family.name.removesuffix("_total")
    assert stem.endswith(f"_{family.unit}" if family.unit else stem)


@every_family
def test_help_is_a_sentence_with_a_stability_mark(family: Family) -> None:
    assert re.fullmatch(r"\[(STABLE|EXPERIMENTAL)\] [A-Z0-9].*\.", family.help_text)


AS_OF = {"last poll", "last image list", "last registry list", "in force"}


@pytest.mark.parametrize(
    "family", [*SECTIONS["Per image"], *SECTIONS["Per tag"]], ids=lambda family: family.name
)
def test_help_says_as_of_when_a_value_is(family: Family) -> None:
    assert any(words in family.help for words in AS_OF)


@pytest.mark.parametrize(
    "name", ["ncr_image_stale_tags", "ncr_image_reclaimable_bytes", "ncr_tag_stale"]
)
def test_help_of_what_somebody_may_delete_by_says_what_it_cannot_know(name: str) -> None:
    assert "Not pulled is not unused: nodes keep copies." in FAMILIES[name].help


def test_operations_reasons_and_buckets_are_the_promised_ones() -> None:
    assert set(OPERATIONS) == {"registry_list", "image_list", "tag_list"}
    assert set(REASONS) == PROMISED_REASONS
    assert len(REASONS) == len(PROMISED_REASONS)
    assert BUCKETS == (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
