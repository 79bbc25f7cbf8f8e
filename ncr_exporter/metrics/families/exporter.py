"""Families about the API client and the exporter itself, and the values of their labels."""

from ncr_exporter.metrics.families.family import Family

OPERATIONS = ("registry_list", "image_list", "tag_list")
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
"""Every value of the label `reason`. All series exist from the start: a rate sees the first."""
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper bounds of the request duration, in seconds."""

_REGISTRY = ("registry",)
_OPERATION = ("registry", "operation")

EXPORTER_FAMILIES: tuple[Family, ...] = (
    Family(
        "ncr_api_requests_total",
        "Requests sent to the API, every attempt counted.",
        _OPERATION,
        "counter",
    ),
    Family(
        "ncr_api_request_failures_total",
        "Requests that failed, and those refused before they were sent because the account is "
        "throttled or has no key.",
        (*_OPERATION, "reason"),
        "counter",
    ),
    Family(
        "ncr_api_request_duration_seconds",
        "Duration of requests sent to the API, failed ones included.",
        ("operation",),
        "histogram",
    ),
    Family(
        "ncr_api_retries_total",
        "Requests sent again after a failure that often passes.",
        _OPERATION,
        "counter",
    ),
    Family(
        "ncr_api_throttled_seconds_total",
        "Time during which no requests went out because the API answered 429 to this "
        "registry's account.",
        _REGISTRY,
        "counter",
    ),
    Family(
        "ncr_api_clock_skew_seconds",
        "The API's clock minus ours, by the last answer's Date; absent before the first.",
        _REGISTRY,
    ),
    Family(
        "ncr_api_malformed_records_total",
        "Records left out and fields taken for unknown because they held nothing usable.",
        _OPERATION,
        "counter",
    ),
    Family(
        "ncr_api_count_mismatches_total",
        "Listings whose number of names differs from the count they came with, read twice.",
        _OPERATION,
        "counter",
        stability="EXPERIMENTAL",
    ),
    Family(
        "ncr_api_requests_per_second_limit",
        "Configured limit of the account that this registry is read with; registries of one "
        "account share it.",
        _REGISTRY,
    ),
    Family(
        "ncr_api_requests_per_second_planned",
        "Requests per second that all registries of the account need to keep to their intervals.",
        _REGISTRY,
    ),
    Family("ncr_exporter_build_info", "1; the version running.", ("version", "python")),
    Family(
        "ncr_exporter_series", "Series about registries, images and tags that a scrape returns."
    ),
    Family("ncr_exporter_config_hash", "Hash of the configuration file in force."),
    Family(
        "ncr_exporter_config_last_reload_successful",
        "1 if the configuration file was usable when last read, else 0.",
    ),
    Family(
        "ncr_exporter_config_last_reload_success_timestamp_seconds",
        "When the configuration in force was read.",
    ),
)
