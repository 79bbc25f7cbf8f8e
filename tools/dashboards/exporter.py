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
    ago,
    milliseconds,
)
from tools.dashboards.shell import (
    EXPORTER,
    IMAGE,
    OVERVIEW,
    Dashboard,
    Section,
    Shelf,
    Stack,
    annotation,
    link,
    row_to_image,
    row_to_registry,
    variable,
)
from tools.dashboards.tables import Column, Key, table


def _per_exporter(metric: str) -> str:
    return f"max by (instance) ({metric}{{{EXPORTERS}}})"


def _image(metric: str) -> str:
    """Return one value per image: of several exporters that poll it, the best."""
    return f"max by (registry, image) ({metric}{{{EXPORTERS_REGISTRIES}}})"


_POINTS = 150
"""Of a graph: each costs Prometheus a look at every image."""
_MOST = 100
"""Images of a table; the numbers on top count all."""
_ON = "on (registry, image)"
_AGE = ago(_image("ncr_image_last_success_timestamp_seconds"))
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
        requests.PLAN_OF_LIMIT,
        unit="percentunit",
        steps=SHARE_OF_A_LIMIT,
        decimals=0,
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

_DURATION = _image("ncr_image_poll_duration_seconds")

_POLLS: tuple[Json, ...] = (
    lines(
        "Age of the data",
        "Time since the last successful poll of an image, in intervals of its own: of the image "
        "that waited longest, and of the one in the middle.",
        [
            Query(f"max({_INTERVALS})", "oldest", RED),
            Query(f"quantile(0.5, {_INTERVALS})", "median", GREEN),
        ],
        unit="suffix:intervals",
        steps=((None, GREEN), (3, RED)),
        points=_POINTS,
    ),
    lines(
        "Polls per minute",
        "Polls of images, those of them that failed, and those that the image list alone answered "
        "because nothing had changed (relist_after).",
        [
            Query(f"60 * {requests.total('ncr_image_polls_total')}", "polls", BLUE),
            Query(f"60 * {requests.total('ncr_image_unchanged_polls_total')}", "unchanged", GREEN),
            Query(f"60 * {requests.total('ncr_image_poll_failures_total')}", "failed", RED),
        ],
        unit="locale",
        decimals=1,
        points=_POINTS,
    ),
    lines(
        "Poll duration",
        "How long the last polls of images took, waiting for their turn included.",
        [
            Query(f"max({_DURATION})", "slowest", RED),
            Query(f"quantile(0.9, {_DURATION})", "90 %", YELLOW),
            Query(f"quantile(0.5, {_DURATION})", "median", GREEN),
        ],
        unit="s",
        points=_POINTS,
    ),
)


def _each(expr: str, how: str = "sum") -> str:
    return f"{how} by (registry) ({expr})"


def _of_registry(metric: str) -> str:
    return f"max by (registry) ({metric}{{{EXPORTERS_REGISTRIES}}})"


def _rate(metric: str) -> str:
    return f"sum by (registry) (rate({metric}{{{EXPORTERS_REGISTRIES}}}[1h]))"


_REGISTRIES = table(
    "Polls by registry",
    "Oldest is the age of the data that was read longest ago, in intervals: around 1 is normal. "
    "Unchanged is the share of the last hour's polls that the image list alone answered "
    "(relist_after). The list is that of the registry's images.",
    (Key("registry", "Registry", link=row_to_registry()),),
    (
        Column(
            "Images", _each(_image("ncr_image_poll_interval_seconds"), "count"), "locale", width=75
        ),
        Column(
            "Failing",
            _each(f"({_image('ncr_image_up')} == bool 0)"),
            "locale",
            ((None, PLAIN), (1, RED)),
            width=75,
        ),
        Column(
            "Oldest",
            _each(_INTERVALS, "max"),
            steps=((None, PLAIN), (2, YELLOW), (3, RED)),
            width=75,
            decimals=1,
        ),
        Column("Slowest", _each(_DURATION, "max"), "s", width=90),
        Column(
            "Unchanged",
            f"{_rate('ncr_image_unchanged_polls_total')} / {_rate('ncr_image_polls_total')}",
            "percentunit",
            width=100,
            decimals=0,
        ),
        Column(
            "List",
            _of_registry("ncr_registry_up"),
            words={1: ("ok", GREEN), 0: ("fails", RED)},
            width=65,
        ),
        Column(
            "List age",
            ago(_of_registry("ncr_registry_last_success_timestamp_seconds")),
            "s",
            width=85,
            decimals=0,
        ),
    ),
    sort_by="Oldest",
)

_GLOBS = table(
    "Globs that match nothing",
    "Entries of the configuration with a glob that no image matched at the last list: a typing "
    "error, or an image that is gone.",
    (Key("registry", "Registry", link=row_to_registry()), Key("glob", "Glob")),
    (
        Column(
            "Images",
            f"max by (registry, glob) (ncr_registry_glob_images{{{EXPORTERS_REGISTRIES}}}) == 0",
            "locale",
            width=85,
        ),
    ),
    sort_by="Registry",
    descending=False,
)


def _if_due(expr: str) -> str:
    """Return values of the images that fail or are overdue, of a hundred at most."""
    # What never was polled with success has no age; it fails, and stands before the others.
    failing = f"1e6 + ({_image('ncr_image_up')} == 0)"
    due = f"topk({_MOST}, {_INTERVALS} > 3 or {_ON} {failing})"
    return f"{expr}\nand {_ON} {due}"


_OVERDUE = table(
    "Failing or overdue images",
    "Images whose last poll failed, or whose data is older than three intervals; the "
    f"{_MOST} with the oldest data, where there are more.",
    (
        Key("registry", "Registry", 110, link=row_to_registry()),
        Key("image", "Image", link=row_to_image()),
    ),
    (
        Column("Age", _if_due(_AGE), "s", width=95, decimals=1),
        Column("Intervals", _if_due(_INTERVALS), width=90, decimals=1),
        Column(
            "Last poll",
            _if_due(_image("ncr_image_up")),
            words={1: ("ok", GREEN), 0: ("failed", RED)},
            width=90,
        ),
    ),
    sort_by="Intervals",
)

_EXPORTERS = table(
    "Exporters",
    "One row per exporter. Exporters that share the work, or back each other up, should run "
    "one version and one configuration: compare the hash. Connections are those that clients hold "
    "open to the exporter. The state is written where --storage.path is set.",
    (Key("instance", "Exporter"), Key("version", "Version", 80), Key("python", "Python", 80)),
    (
        Column(
            "build", f"max by (instance, version, python) (ncr_exporter_build_info{{{EXPORTERS}}})"
        ),
        Column("Scrape", _per_exporter("up"), words={1: ("up", GREEN), 0: ("down", RED)}, width=75),
        Column(
            "Runs for",
            ago(_per_exporter("process_start_time_seconds")),
            "s",
            width=95,
            decimals=1,
        ),
        Column(
            "Images",
            f"count by (instance) (ncr_image_poll_interval_seconds{{{EXPORTERS}}})",
            "locale",
            width=75,
        ),
        Column("Series", _per_exporter("ncr_exporter_series"), "locale", width=85),
        Column(
            "Configuration",
            _per_exporter("ncr_exporter_config_last_reload_successful"),
            words={1: ("ok", GREEN), 0: ("refused", RED)},
            width=115,
        ),
        Column(
            "Read ago",
            ago(_per_exporter("ncr_exporter_config_last_reload_success_timestamp_seconds")),
            "s",
            width=95,
            decimals=1,
        ),
        Column(
            "Hash",
            _per_exporter("ncr_exporter_config_hash"),
            "hex",
            words={0: ("no file", PLAIN)},
            width=105,
        ),
        Column("Connections", _per_exporter("ncr_exporter_open_connections"), "locale", width=105),
        Column(
            "Lost log lines",
            _per_exporter("ncr_exporter_log_lines_dropped_total"),
            "locale",
            ((None, PLAIN), (1, YELLOW)),
            width=115,
        ),
        Column(
            "State age",
            ago(_per_exporter("ncr_exporter_state_last_write_timestamp_seconds")),
            "s",
            width=90,
            decimals=0,
        ),
        Column(
            "State failures",
            _per_exporter("ncr_exporter_state_write_failures_total"),
            "locale",
            ((None, PLAIN), (1, RED)),
            width=115,
        ),
    ),
    sort_by="Exporter",
    descending=False,
    hidden=("build",),
)

_PROCESS: tuple[Json, ...] = (
    lines(
        "CPU",
        "Share of a core that each exporter keeps busy.",
        [
            Query(
                "sum by (instance)"
                f" (rate(process_cpu_seconds_total{{{EXPORTERS}}}[$__rate_interval]))",
                "{{instance}}",
            ),
        ],
        unit="percentunit",
    ),
    lines(
        "Memory",
        "Resident memory of each exporter.",
        [Query(_per_exporter("process_resident_memory_bytes"), "{{instance}}")],
        unit="decbytes",
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
        Section(
            "API",
            (Shelf(9, requests.API), Shelf(9, requests.LIMITS), Shelf(7, (requests.ACCOUNTS,))),
        ),
        Section(
            "Polls",
            (
                Shelf(9, _POLLS),
                Shelf(12, (_REGISTRIES, Stack([(7, _OVERDUE), (5, _GLOBS)])), (13, 11)),
            ),
        ),
        Section("Exporters", (Shelf(6, (_EXPORTERS,)), Shelf(9, _PROCESS))),
    ),
)
