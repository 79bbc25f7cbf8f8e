"""Pieces of PromQL that the dashboards share.

Several exporters may watch one registry: sharded, each with some of its images, or twice the same
for availability. So nothing here groups by `instance`, and what two exporters say of one image is
one value (`max by`) before anything is summed; else a second exporter would double every total.
"""

IMAGES = 'job=~"$job", registry=~"$registry", image=~"$image"'
"""Matchers of whatever has an image."""
REGISTRIES = 'job=~"$job", registry=~"$registry"'
ONE_IMAGE = 'job=~"$job", registry="$registry", image="$image"'
EXPORTERS = 'job=~"$job", instance=~"$instance"'
"""Matchers of the exporters' own metrics."""
EXPORTERS_REGISTRIES = f'{EXPORTERS}, registry=~"$registry"'

DAY = 86400
GB = "1e9"

_PER_IMAGE = "by (registry, image)"
_ON_IMAGE = "on (registry, image)"


def owned(metric: str, window: str = "", function: str = "") -> str:
    """Return a metric's series of those images that the chosen owners have.

    Args:
        metric: One with the labels `registry` and `image`.
        window: A range, with its modifiers where it has some, as `[6h] @ end()`.
        function: What makes one value of a range.
    """

    def selected(more: str) -> str:
        selector = f"{metric}{{{IMAGES}, {more}}}{window}"
        return f"{function}({selector})" if function else selector

    # Whose an image is, ncr_image_info alone says. The metric itself has no label `owner`: there
    # `=~` holds for "All" alone, and `!~` for every other choice. So one side of `or` is always
    # empty, and costs Prometheus nothing: with "All", which is most of the time and most of the
    # images, nothing is joined, and images without an owner are there, too.
    chosen = 'owner=~"$owner"'
    whose = f"ncr_image_info{{{IMAGES}, {chosen}}}"
    if "@" in window:  # all of it, or Prometheus works it out for each point
        whose = f"last_over_time({whose}{window})"
    others = selected('owner!~"$owner"')
    return f"{selected(chosen)} or {others} and {_ON_IMAGE} {whose}"


def per_image(metric: str, window: str = "", function: str = "") -> str:
    """Return one value per image of the chosen owners."""
    return f"max {_PER_IMAGE} ({owned(metric, window, function)})"


def with_owner(expr: str, nobody: str = "") -> str:
    """Return values per image with the label `owner`; images without one have `nobody`."""
    # One owner per image: while a change of the configuration reaches a pair of exporters, there
    # are two, and a join with both would be an error.
    owners = f"topk {_PER_IMAGE} (1, ncr_image_info{{{IMAGES}}})"
    others = f'label_replace({expr}, "owner", "{nobody}", "", "")' if nobody else f"({expr})"
    return f"({expr} * {_ON_IMAGE} group_left (owner) {owners} or {_ON_IMAGE} {others})"


def pulls(window: str) -> str:
    """Return the pulls of each image within a window."""
    return per_image("ncr_image_pulls_total", f"[{window}]", "increase")


def growth() -> str:
    """Return the bytes that each image grew by over the dashboard's time range."""
    return per_image("ncr_image_size_bytes", "[$__range]", "delta")


def days(seconds: str) -> str:
    """Return days: Grafana would turn 90 of them into 12.9 weeks."""
    return f"{seconds} / {DAY}"


def unused() -> str:
    """Return the seconds since each image was last pulled or pushed."""
    return f"(time() - {per_image('ncr_image_last_used_timestamp_seconds')})"


def days_since(timestamp: str) -> str:
    """Return the days since a time; the clocks of two machines may differ, so not below 0."""
    return days(f"clamp_min(time() - {timestamp}, 0)")


def cost(size: str) -> str:
    """Return what bytes cost a month at the price that was given, nothing without one.

    With cents where it is less than 100: prices may be in won or in dollars.
    """
    # Without a price, what stands in the brackets is a plus sign and 0.
    money = f"{size} / {GB} * ($cost + 0)"
    return f"(round({money}) >= 100 or round({money}, 0.01) > 0)"


def ago(timestamp: str) -> str:
    """Return the seconds since a time, as of the moment that is looked at."""
    return f"time() - {timestamp}"


def milliseconds(seconds: str) -> str:
    """Return a timestamp in Grafana's unit for dates."""
    return f"1000 * {seconds}"


def top(count: int, expr: str) -> str:
    """Return the largest values above 0."""
    return f"topk({count}, {expr} > 0)"


def among(expr: str, chosen: str, labels: str = "registry, image") -> str:
    """Return the series that have these labels in common with `chosen`."""
    return f"{expr} and on ({labels}) {chosen}"


def named(label: str, value: str, expr: str) -> str:
    """Return the same series with one more label."""
    return f'label_replace({expr}, "{label}", "{value}", "", "")'


def union(*exprs: str) -> str:
    """Return the series of all of them."""
    return "\nor ".join(exprs)
