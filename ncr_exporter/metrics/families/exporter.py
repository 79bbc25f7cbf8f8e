"""Families about the API client and the exporter itself."""

from ncr_exporter.metrics.families.family import REGISTRY_LABELS, Family

REASONS = (
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
)
"""The values of the label `reason`. All series exist from the start, at 0.

A rate sees the first failure only if there was a sample before it.
"""
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper bounds of the buckets of the request duration, in seconds."""

_OPERATION_LABELS = (*REGISTRY_LABELS, "operation")

EXPORTER_FAMILIES: tuple[Family, ...] = (
    Family(
        "ncr_api_requests_total",
        "Requests sent to the API. Every attempt counts.",
        labels=_OPERATION_LABELS,
        type="counter",
    ),
    Family(
        "ncr_api_request_failures_total",
        "Requests that failed, including those not sent because the account is throttled or has "
        "no key.",
        labels=(*_OPERATION_LABELS, "reason"),
        type="counter",
    ),
    Family(
        "ncr_api_request_duration_seconds",
        "Duration of requests sent to the API, including failed ones.",
        labels=("operation",),
        type="histogram",
    ),
    Family(
        "ncr_api_retries_total",
        "Requests sent again after a failure that often passes.",
        labels=_OPERATION_LABELS,
        type="counter",
    ),
    Family(
        "ncr_api_throttled_seconds_total",
        "Time during which the registry's account sent no requests because the API had answered "
        "429.",
        labels=REGISTRY_LABELS,
        type="counter",
    ),
    Family(
        "ncr_api_clock_skew_seconds",
        "The API's clock minus the exporter's, by the Date of the last answer. Absent before the "
        "first answer.",
        labels=REGISTRY_LABELS,
    ),
    Family(
        "ncr_api_malformed_records_total",
        "Records left out, and fields taken as unknown, because they could not be used.",
        labels=_OPERATION_LABELS,
        type="counter",
    ),
    Family(
        "ncr_api_count_mismatches_total",
        "Listings whose number of names differs from the count that they came with. The first "
        "ones of a list are read twice.",
        labels=_OPERATION_LABELS,
        type="counter",
        stability="EXPERIMENTAL",
    ),
    Family(
        "ncr_api_requests_per_second_limit",
        "Configured limit of the registry's account. All registries of an account share it.",
        labels=REGISTRY_LABELS,
    ),
    Family(
        "ncr_api_requests_per_second_planned",
        "Requests per second that all registries of the account need to keep their intervals.",
        labels=REGISTRY_LABELS,
    ),
    Family(
        "ncr_exporter_build_info",
        "Always 1. The labels are the running version and its Python.",
        labels=("version", "python"),
    ),
    Family(
        "ncr_exporter_series",
        "Series about registries, images and tags in a scrape.",
    ),
    Family(
        "ncr_exporter_open_connections",
        "Connections of clients that are open, this scrape's included.",
    ),
    Family(
        "ncr_exporter_log_lines_dropped_total",
        "Log lines dropped because whatever reads stderr did not keep up.",
        type="counter",
    ),
    Family(
        "ncr_exporter_config_hash",
        "Hash of the configuration file in force.",
    ),
    Family(
        "ncr_exporter_config_last_reload_successful",
        "1 if the configuration file could be used when it was last read, else 0.",
    ),
    Family(
        "ncr_exporter_config_last_reload_success_timestamp_seconds",
        "Time when the configuration in force was read.",
    ),
    Family(
        "ncr_exporter_state_last_write_timestamp_seconds",
        "Time of the data in the state file, which a restart would begin with. Absent without "
        "--storage.path, and before there is a file.",
    ),
    Family(
        "ncr_exporter_state_write_failures_total",
        "Attempts to write the state file that failed. Absent without --storage.path.",
        type="counter",
    ),
)
