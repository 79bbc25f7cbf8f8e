"""Exporter: how the exporters and the API that they ask are doing."""

from tools.dashboards import requests
from tools.dashboards.common import DATASOURCE_VARIABLE, JOB, REGISTRY, THROTTLED, polls_fail
from tools.dashboards.look import (
    ANY_IS_WRONG,
    BLUE,
    GREEN,
    PLAIN,
    RED,
    SHARE_OF_A_LIMIT,
    YELLOW,
    Json,
    Query,
)
from tools.dashboards.panels import lines, stat
from tools.dashboards.promql import (
    EXPORTERS,
    EXPORTERS_REGISTRIES,
    milliseconds,
)
from tools.dashboards.shell import (
    EXPORTER,
    IMAGE,
    OVERVIEW,
    ROW_TO_IMAGE,
    Dashboard,
    Section,
    Shelf,
    annotation,
    link,
    variable,
)
from tools.dashboards.tables import Column, Key, table


def _per_exporter(metric: str) -> str:
    return f"max by (instance) ({metric}{{{EXPORTERS}}})"


def _image(metric: str) -> str:
    """Return one value per image: of several exporters that poll it, the best."""
    return f"max by (registry, image) ({metric}{{{EXPORTERS_REGISTRIES}}})"


_AGE = f"time() - {_image('ncr_image_last_success_timestamp_seconds')}"
_INTERVALS = f"({_AGE}) / {_image('ncr_image_poll_interval_seconds')}"

_NOW: tuple[Json, ...] = (
    stat(
        "Exporters down",
        "Scrape targets of the job that do not answer.",
        f"count(up{{{EXPORTERS}}}) - sum(up{{{EXPORTERS}}})",
        steps=ANY_IS_WRONG,
    ),
    stat(
        "Failing images",
        "Images whose last poll failed, at every exporter that polls them.",
        f"sum({_image('ncr_image_up')} == bool 0)",
        steps=ANY_IS_WRONG,
    ),
    stat(
        "Failing image lists",
        "Registries whose image list could not be read.",
        f"sum(max by (registry) (ncr_registry_up{{{EXPORTERS_REGISTRIES}}}) == bool 0)",
        steps=ANY_IS_WRONG,
    ),
    stat(
        "Oldest data",
        "Age of the image that was polled longest ago, in intervals of its own: around 1 is "
        "normal, from 3 on something is wrong.",
        f"max({_INTERVALS})",
        unit="suffix:intervals",
        steps=((None, GREEN), (2, YELLOW), (3, RED)),
        decimals=1,
    ),
    stat(
        "Plan, of the limit",
        "Requests per second that the account in the worst position needs, as a share of "
        "requests_per_second. From 100 % on polls come later than configured.",
        f"max(ncr_api_requests_per_second_planned{{{EXPORTERS_REGISTRIES}}}"
        f" / ncr_api_requests_per_second_limit{{{EXPORTERS_REGISTRIES}}})",
        unit="percentunit",
        steps=SHARE_OF_A_LIMIT,
    ),
    stat(
        "Clock difference",
        "The API's clock minus the exporter's, the largest either way. The API refuses signatures "
        "that are 5 minutes off; from 60 s on the exporter signs by the API's clock.",
        f"max(abs(ncr_api_clock_skew_seconds{{{EXPORTERS_REGISTRIES}}}))",
        unit="s",
        steps=((None, GREEN), (10, YELLOW), (60, RED)),
    ),
    stat(
        "Configuration",
        "Whether each exporter could use its configuration file when it last read it.",
        f"min(ncr_exporter_config_last_reload_successful{{{EXPORTERS}}})",
        words={1: ("ok", GREEN), 0: ("refused", RED)},
    ),
    stat(
        "Series",
        "Series about registries, images and tags that scrapes return, of all exporters.",
        f"sum(ncr_exporter_series{{{EXPORTERS}}})",
    ),
)

_POLLS: tuple[Json, ...] = (
    lines(
        "Age of the data",
        "Time since the last successful poll of the image that waited longest, in intervals of its "
        "own.",
        [Query(f"max by (registry) ({_INTERVALS})", "{{registry}}")],
        unit="suffix:intervals",
        steps=((None, GREEN), (3, RED)),
    ),
    lines(
        "Polls per minute",
        "Polls of images, and those of them that failed.",
        [
            Query(f"60 * {requests.total('ncr_image_polls_total')}", "polls", BLUE),
            Query(f"60 * {requests.total('ncr_image_poll_failures_total')}", "failed", RED),
        ],
        unit="short",
    ),
    lines(
        "Poll duration",
        "How long the last poll of an image took, waiting for its turn included.",
        [
            Query(
                f"max by (registry) ({_image('ncr_image_poll_duration_seconds')})",
                "{{registry}}, slowest",
            ),
        ],
        unit="s",
    ),
)


def _if_due(expr: str) -> str:
    due = f"({_image('ncr_image_up')} == 0 or {_INTERVALS} > 3)"
    return f"{expr}\nand on (registry, image) {due}"


_OVERDUE = table(
    "Failing or overdue images",
    "Images whose last poll failed, or whose data is older than three intervals.",
    (Key("registry", "Registry"), Key("image", "Image", link=ROW_TO_IMAGE)),
    (
        Column(
            "Last success",
            _if_due(milliseconds(_image("ncr_image_last_success_timestamp_seconds"))),
            "dateTimeFromNow",
        ),
        Column("Age, in intervals", _if_due(_INTERVALS), decimals=1),
        Column(
            "Last poll",
            _if_due(_image("ncr_image_up")),
            words={1: ("ok", GREEN), 0: ("failed", RED)},
        ),
    ),
    sort_by="Age, in intervals",
    empty="None",
)

_EXPORTERS = table(
    "Exporters",
    "One row per exporter. Exporters that share the work, or stand by for one another, should run "
    "one version and one configuration: compare the hash.",
    (Key("instance", "Exporter"), Key("version", "Version", 90), Key("python", "Python", 90)),
    (
        Column(
            "build", f"max by (instance, version, python) (ncr_exporter_build_info{{{EXPORTERS}}})"
        ),
        Column("Scrape", _per_exporter("up"), words={1: ("up", GREEN), 0: ("down", RED)}, width=75),
        Column(
            "Started",
            milliseconds(_per_exporter("process_start_time_seconds")),
            "dateTimeFromNow",
            width=140,
        ),
        Column(
            "Images",
            f"count by (instance) (ncr_image_poll_interval_seconds{{{EXPORTERS}}})",
            "locale",
            width=80,
        ),
        Column("Series", _per_exporter("ncr_exporter_series"), "locale", width=90),
        Column(
            "Configuration",
            _per_exporter("ncr_exporter_config_last_reload_successful"),
            words={1: ("ok", GREEN), 0: ("refused", RED)},
            width=120,
        ),
        Column(
            "Read",
            milliseconds(
                _per_exporter("ncr_exporter_config_last_reload_success_timestamp_seconds")
            ),
            "dateTimeFromNow",
            width=140,
        ),
        Column(
            "Hash",
            _per_exporter("ncr_exporter_config_hash"),
            "hex",
            words={0: ("no file", PLAIN)},
            width=130,
        ),
    ),
    sort_by="Exporter",
    descending=False,
    hidden=("build",),
)

_PROCESS: tuple[Json, ...] = (
    lines(
        "CPU",
        "Cores that each exporter keeps busy.",
        [
            Query(
                "sum by (instance)"
                f" (rate(process_cpu_seconds_total{{{EXPORTERS}}}[$__rate_interval]))",
                "{{instance}}",
            ),
        ],
        unit="short",
    ),
    lines(
        "Memory",
        "Resident memory of each exporter.",
        [Query(_per_exporter("process_resident_memory_bytes"), "{{instance}}")],
        unit="bytes",
    ),
    lines(
        "Scrape duration",
        "How long Prometheus waits for a scrape. A scrape never waits for the API.",
        [Query(_per_exporter("scrape_duration_seconds"), "{{instance}}")],
        unit="s",
    ),
)

DASHBOARD = Dashboard(
    uid=EXPORTER,
    title="NCR / Exporter",
    description="How the exporters of NAVER Cloud Container Registry and its API are doing.",
    variables=(
        DATASOURCE_VARIABLE,
        JOB,
        variable(
            "instance",
            "Exporter",
            "Scrape targets",
            'ncr_exporter_build_info{job=~"$job"}',
        ),
        REGISTRY,
    ),
    annotations=(
        polls_fail(EXPORTERS_REGISTRIES),
        THROTTLED,
        annotation(
            "Configuration read",
            milliseconds(
                _per_exporter("ncr_exporter_config_last_reload_success_timestamp_seconds")
            ),
            colour=BLUE,
            title="Configuration read",
            text="{{instance}} started, or took a changed configuration",
            labels="instance",
            at_value=True,
        ),
    ),
    links=(link("Overview", OVERVIEW, "registry"), link("Image", IMAGE)),
    time_range="6h",
    refresh="1m",
    sections=(
        Section("Now", (Shelf(4, _NOW),)),
        Section("API", (Shelf(8, requests.API), Shelf(8, requests.LIMITS))),
        Section("Polls", (Shelf(8, _POLLS), Shelf(5, (_OVERDUE,)))),
        Section("Exporters", (Shelf(5, (_EXPORTERS,)), Shelf(7, _PROCESS))),
    ),
)
