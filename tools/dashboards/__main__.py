"""`python -m tools.dashboards`: write deploy/grafana/dashboards/*.json."""

import json
from pathlib import Path

from tools.dashboards import exporter, image, overview
from tools.dashboards.shell import Dashboard

DIRECTORY = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "dashboards"
DASHBOARDS = (overview.DASHBOARD, image.DASHBOARD, exporter.DASHBOARD)


def file_of(dashboard: Dashboard) -> Path:
    """Return where a dashboard is kept."""
    return DIRECTORY / f"{dashboard.uid}.json"


def text_of(dashboard: Dashboard) -> str:
    """Return what that file holds."""
    return json.dumps(dashboard.json(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for each in DASHBOARDS:
        file_of(each).write_text(text_of(each), encoding="utf-8")
