"""Panels of the exporter's dashboard about its requests to the API."""

from tools.dashboards.look import GREEN, RED, SHARE_OF_A_LIMIT, YELLOW, Json, Query
from tools.dashboards.panels import lines
from tools.dashboards.promql import EXPORTERS, EXPORTERS_REGISTRIES


def total(metric: str) -> str:
    """Return a rate over all chosen exporters: each counts what it does itself."""
    return f"sum(rate({metric}{{{EXPORTERS_REGISTRIES}}}[$__rate_interval]))"


def _api(metric: str, by: str) -> str:
    """Return a rate over all chosen exporters: each sends requests of its own."""
    return f"sum by ({by}) (rate({metric}{{{EXPORTERS_REGISTRIES}}}[$__rate_interval]))"


def _quantile(quantile: float) -> str:
    buckets = f"rate(ncr_api_request_duration_seconds_bucket{{{EXPORTERS}}}[$__rate_interval])"
    return f"histogram_quantile({quantile}, sum by (le) ({buckets}))"


API: tuple[Json, ...] = (
    lines(
        "Requests per second",
        "Requests sent to the API, retries included.",
        [Query(_api("ncr_api_requests_total", "operation"), "{{operation}}")],
        unit="reqps",
        stacked=True,
    ),
    lines(
        "Failures by reason",
        "Requests that failed, and those not sent because the account was throttled or has no "
        "key. Only reasons that occur are drawn.",
        [Query(f"{_api('ncr_api_request_failures_total', 'reason')} > 0", "{{reason}}")],
        unit="reqps",
        bars=True,
        stacked=True,
        empty="No failures",
    ),
    lines(
        "Latency",
        "Time that requests take, failed ones included; estimated from a histogram's buckets.",
        [
            Query(_quantile(0.5), "median", GREEN),
            Query(_quantile(0.9), "90 %", YELLOW),
            Query(_quantile(0.99), "99 %", RED),
        ],
        unit="s",
    ),
)

LIMITS: tuple[Json, ...] = (
    lines(
        "Plan against limit",
        "Requests per second that an account's registries need to keep to their intervals, as a "
        "share of requests_per_second; registries of one account show the same.",
        [
            Query(
                f"max by (registry) (ncr_api_requests_per_second_planned{{{EXPORTERS_REGISTRIES}}}"
                f" / ncr_api_requests_per_second_limit{{{EXPORTERS_REGISTRIES}}})",
                "{{registry}}",
            ),
        ],
        unit="percentunit",
        steps=SHARE_OF_A_LIMIT,
        soft_maximum=1,
    ),
    lines(
        "Throttled",
        "Share of the time during which no requests went out because the API answered 429.",
        [
            Query(
                "max by (registry) (rate("
                f"ncr_api_throttled_seconds_total{{{EXPORTERS_REGISTRIES}}}[$__rate_interval]))",
                "{{registry}}",
            ),
        ],
        unit="percentunit",
        maximum=1,
    ),
    lines(
        "Retries and odd answers",
        "Requests sent again; records and fields left out because they held nothing usable; "
        "listings whose names did not match their count.",
        [
            Query(total("ncr_api_retries_total"), "retries"),
            Query(total("ncr_api_malformed_records_total"), "malformed records"),
            Query(total("ncr_api_count_mismatches_total"), "count mismatches"),
        ],
        unit="cps",
    ),
)
