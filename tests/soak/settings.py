"""From what a soak changes to the file that the exporter reads."""

import json
from typing import Any

from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY
from tests.soak.plan import Settings

SECRET_FILE = "secret"
PAGE_SIZE = 10
"""Small, so that lists have several pages."""


def configuration(settings: Settings, url: str) -> str:
    """Return the file's text; JSON is YAML."""
    content: dict[str, Any] = {
        "api": {
            "base_url": url,
            "requests_per_second": 400,
            "timeout": f"{settings.timeout}s",
            "page_size": PAGE_SIZE,
        },
        "credentials": {"access_key": DEMO_ACCESS_KEY, "secret_key_file": SECRET_FILE},
        "defaults": {
            "interval": "1s",
            "expire_after": "10s",
            "tag_series": settings.tag_series,
            "platform_series": True,
        },
        "registries": [_registry(*item) for item in settings.selection.items()],
    }
    if settings.every:
        named = [each for each in content["registries"] if each["name"] == "beta"]
        content["registries"] = [{"name": "*"}, *named]
    if settings.broken:
        content["defaults"]["interval"] = "soon"
    return json.dumps(content)


def _registry(name: str, glob: str) -> dict[str, Any]:
    return {"name": name, "images": [glob]}
