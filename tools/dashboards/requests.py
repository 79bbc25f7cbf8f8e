"""Panels of *Exporter* about its requests to the API, and the accounts that send them."""

from tools.dashboards.look import GREEN, RED, SHARE_OF_A_LIMIT, YELLOW, Json, Query
from tools.dashboards.panels import lines
from tools.dashboards.promql import EXPORTERS, EXPORTERS_REGISTRIES
from tools.dashboards.tables import Column, Key, table


def total(metric: str) -> str:
    """Return a rate over all chosen exporters: each counts what it does itself."""
    return f"sum(rate({metric}{{{EXPORTERS_REGISTRIES}}}[$__rate_interval]))"


def _api(metric: str, by: str) -> str:
    """Return a rate over all chosen exporters: each sends requests of its own."""
    return f"sum by ({by}) (rate({metric}{{{EXPORTERS_REGISTRIES}}}[$__rate_interval]))"


def _quantile(quantile: float) -> str:
    """Return a quantile of the durations, however Prometheus keeps the histogram.

    With `convert_classic_histograms_to_nhcb`, Prometheus 3 has native ones and no `_bucket`.
    """
    name = "ncr_api_request_duration_seconds"
    classic = f"sum by (le) (rate({name}_bucket{{{EXPORTERS}}}[$__rate_interval]))"
    native = f"sum(rate({name}{{{EXPORTERS}}}[$__rate_interval]))"
    return f"histogram_quantile({quantile}, {classic})\nor histogram_quantile({quantile}, {native})"


_OCCURRED = (
    "sum by (reason) (increase("
    f"ncr_api_request_failures_total{{{EXPORTERS_REGISTRIES}}}[$__range] @ end())) > 0"
)

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
        "key. The line of all failures lies at 0 while there are none; where it ends, nothing is "
        "known. Of the reasons, only those are drawn that occur within the dashboard's time range.",
        [
            Query(
                f"{_api('ncr_api_request_failures_total', 'reason')} and on (reason) {_OCCURRED}",
                "{{reason}}",
            ),
            Query(total("ncr_api_request_failures_total"), "all failures", "gray"),
        ],
        unit="reqps",
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

_PLANNED = f"ncr_api_requests_per_second_planned{{{EXPORTERS_REGISTRIES}}}"
_LIMIT = f"ncr_api_requests_per_second_limit{{{EXPORTERS_REGISTRIES}}}"
PLAN_OF_LIMIT = f"max({_PLANNED} / {_LIMIT})"
"""Of the account in the worst position."""


def _throttled(window: str) -> str:
    return f"rate(ncr_api_throttled_seconds_total{{{EXPORTERS_REGISTRIES}}}[{window}])"


LIMITS: tuple[Json, ...] = (
    lines(
        "Plan against limit",
        "Requests per second that registries need to keep to their intervals, as a share of "
        "requests_per_second, of the account in the worst position.",
        [Query(PLAN_OF_LIMIT, "fullest account")],
        unit="percentunit",
        steps=SHARE_OF_A_LIMIT,
        soft_maximum=1,
    ),
    lines(
        "Throttled",
        "Share of the time during which no requests went out because the API answered 429, of the "
        "account that was throttled most.",
        [Query(f"max({_throttled('$__rate_interval')})", "most throttled account", "orange")],
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


def _accounts() -> Json:
    """Return a row per account, which its registries are known by: no metric names an account.

    The exporters publish an account's values with each of its registries. Registries with the same
    plan and the same limit are taken for those of one account.
    """

    def summed(metric: str) -> str:
        return f"sum by (registry) ({metric})"

    skew = f"ncr_api_clock_skew_seconds{{{EXPORTERS_REGISTRIES}}}"
    panel = table(
        "Accounts",
        "One row per account: registries that share a plan and a limit. Planned and limit are "
        "requests per second of all chosen exporters together, the share is that of the fullest. "
        "Throttled is the share of the last hour without requests for that reason. The clock is "
        "the API's minus the exporter's.",
        (Key("registry", "Registries"),),
        (
            Column("Planned", summed(_PLANNED), "reqps", width=120, decimals=2),
            Column("Limit", summed(_LIMIT), "reqps", width=100),
            Column(
                "Of the limit",
                f"max by (registry) ({_PLANNED} / {_LIMIT})",
                "percentunit",
                SHARE_OF_A_LIMIT,
                width=130,
                gauge=True,
                maximum=1,
                decimals=0,
            ),
            Column(
                "Throttled",
                f"max by (registry) ({_throttled('1h')})",
                "percentunit",
                width=110,
                decimals=0,
            ),
            Column("Clock", f"max by (registry) ({skew})", "s", width=90),
        ),
        sort_by="Of the limit",
    )
    merge, organize = panel["transformations"]
    group = {
        "id": "groupBy",
        "options": {
            "fields": {
                "registry": {"operation": "aggregate", "aggregations": ["uniqueValues"]},
                **{f"Value #{ref}": {"operation": "groupby", "aggregations": []} for ref in "AB"},
                **{
                    f"Value #{ref}": {"operation": "aggregate", "aggregations": ["max"]}
                    for ref in "CDE"
                },
            }
        },
    }
    options = organize["options"]
    called = {
        "registry": "registry (uniqueValues)",
        "Value #C": "Value #C (max)",
        "Value #D": "Value #D (max)",
        "Value #E": "Value #E (max)",
    }
    for name in ("renameByName", "indexByName"):
        options[name] = {called.get(old, old): new for old, new in options[name].items()}
    panel["transformations"] = [merge, group, organize]
    return panel


ACCOUNTS = _accounts()
