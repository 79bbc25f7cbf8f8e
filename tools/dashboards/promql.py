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


def per_image(metric: str, matchers: str = IMAGES) -> str:
    """Return one value per image."""
    return f"max by (registry, image) ({metric}{{{matchers}}})"


def pulls(window: str, matchers: str = IMAGES) -> str:
    """Return the pulls of each image within a window."""
    return f"max by (registry, image) (increase(ncr_image_pulls_total{{{matchers}}}[{window}]))"


def growth(matchers: str = IMAGES) -> str:
    """Return the bytes that each image grew by over the dashboard's time range."""
    return f"max by (registry, image) (delta(ncr_image_size_bytes{{{matchers}}}[$__range]))"


def unused(matchers: str = IMAGES) -> str:
    """Return the seconds since each image was last pulled or pushed."""
    return f"(time() - {per_image('ncr_image_last_used_timestamp_seconds', matchers)})"


def milliseconds(seconds: str) -> str:
    """Return a timestamp in Grafana's unit for dates."""
    return f"1000 * {seconds}"


def top(count: int, expr: str) -> str:
    """Return the largest values, the largest first."""
    return f"sort_desc(topk({count}, {expr}))"


def named(label: str, value: str, expr: str) -> str:
    """Return the same series with one more label."""
    return f'label_replace({expr}, "{label}", "{value}", "", "")'


def union(*exprs: str) -> str:
    """Return the series of all of them."""
    return "\nor ".join(exprs)
