"""From what a soak changes to the file that the exporter reads."""

from pathlib import Path
from typing import Any

from ncr_exporter.simulator.registry import DEMO_ACCESS_KEY
from tests.soak.plan import Settings
from tests.support.api_thread import write_config

SECRET_FILE = "secret"
PAGE_SIZE = 10
"""Small, so that lists have several pages."""


def write_settings(directory: Path, url: str, settings: Settings) -> Path:
    """Write the configuration of an exporter that polls every second, and return its path."""
    registries = [{"name": name, "images": [glob]} for name, glob in settings.selection.items()]
    if settings.every:
        registries = [{"name": "*"}, *(each for each in registries if each["name"] == "beta")]
    defaults = {
        "interval": "soon" if settings.broken else "1s",
        "expire_after": "10s",
        "tag_series": settings.tag_series,
        "platform_series": True,
    }
    api: dict[str, Any] = {
        "requests_per_second": 400,
        "timeout": f"{settings.timeout}s",
        "page_size": PAGE_SIZE,
        "version": settings.version,
    }
    keys = {"access_key": DEMO_ACCESS_KEY, "secret_key_file": SECRET_FILE}
    path = write_config(directory, url, *registries, keys=keys, defaults=defaults, **api)
    path.chmod(0o600)
    return path
