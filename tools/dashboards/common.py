"""Variables, annotations and sentences that several dashboards share."""

from tools.dashboards.look import RED
from tools.dashboards.promql import IMAGES, REGISTRIES
from tools.dashboards.shell import annotation, datasource_variable, text_variable, variable

UPPER_BOUND = "An upper bound: layers that manifests share count in each."
NODES = "Not pulled is not unused: nodes keep copies."
"""What has to stand wherever somebody may delete by what is shown."""
RECLAIMABLE = (
    f"Bytes that only stale tags refer to. {UPPER_BOUND} {NODES} What deleting tags frees, and "
    "when, the registry decides."
)
COST = (
    "What the bytes that only stale tags refer to cost a month, at the price given on top. "
    "Nothing is shown without a price."
)
NO_PRICE = "no price, or unknown"
"""What a sum of money says without a price, and without an answer."""

DATASOURCE_VARIABLE = datasource_variable()
JOB = variable(
    "job",
    "Job",
    "Scrape jobs of Prometheus that hold exporters",
    "ncr_exporter_build_info",
)
REGISTRY = variable(
    "registry",
    "Registry",
    "Registries as the exporters name them",
    'ncr_image_poll_interval_seconds{job=~"$job"}',
)
OWNER = variable(
    "owner",
    "Owner",
    "Owners of images, as the exporters' configuration names them; All are also images of nobody",
    f"ncr_image_info{{{REGISTRIES}}}",
    everything=".*",  # an image without an owner as well
)
PRICE = text_variable(
    "cost",
    "Price per GB and month",
    "What 1 GB (1,000,000,000 bytes) costs a month, as a number in any currency, 28 for instance",
)

THROTTLED = annotation(
    "Throttled",
    f"max(increase(ncr_api_throttled_seconds_total{{{REGISTRIES}}}[5m])) > 0",
    colour="orange",
    title="Throttled",
    text="The API answered 429: no requests of an account for a while",
)


def polls_fail(matchers: str = IMAGES) -> dict[str, object]:
    """Return the annotation that marks when polls of most images of a registry fail.

    Of thousands of images one or the other always fails: that marks nothing. Once for all
    registries: thirty marks at one place would hide the graph.
    """
    return annotation(
        "Polls fail",
        f"count(avg by (registry) (max by (registry, image) (ncr_image_up{{{matchers}}})) < 0.5)",
        colour=RED,
        title="Polls fail",
        text="Most images of a registry could not be polled: their values are those of before",
    )
