"""Variables, annotations and sentences that several dashboards share."""

from tools.dashboards.look import RED
from tools.dashboards.promql import IMAGES, REGISTRIES, per_image
from tools.dashboards.shell import annotation, datasource_variable, variable

UPPER_BOUND = "An upper bound: layers that manifests share count in each."
NODES = "Not pulled is not unused: nodes keep copies."
"""What has to stand wherever somebody may delete by what is shown."""

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

THROTTLED = annotation(
    "Throttled",
    f"max by (registry) (increase(ncr_api_throttled_seconds_total{{{REGISTRIES}}}[2m])) > 0",
    colour="orange",
    title="Throttled",
    text="The API answered 429: no requests of {{registry}}'s account for a while",
    labels="registry",
)


def polls_fail(matchers: str = IMAGES) -> dict[str, object]:
    """Return the annotation that marks when polls fail."""
    return annotation(
        "Polls fail",
        f"count by (registry) ({per_image('ncr_image_up', matchers)} == 0)",
        colour=RED,
        title="Polls fail",
        text="Images of {{registry}} could not be polled: their values are those of before",
        labels="registry",
    )
