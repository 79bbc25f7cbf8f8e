"""The plain page at `/`: what is polled, how it goes, and where the rest is."""

from collections.abc import Iterable
from html import escape

from ncr_exporter import __version__
from ncr_exporter.states import ImageState

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ncr-exporter</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884 }}
td.number, th.number {{ text-align: right }}
</style>
</head>
<body>
<h1>ncr-exporter</h1>
<p>Prometheus exporter for NAVER Cloud Container Registry, version {version}.
<a href="{telemetry_path}">Metrics</a> · <a href="/-/ready">ready?</a>
· <a href="/-/healthy">healthy?</a></p>
<table>
<thead>
<tr><th>Registry</th><th>Image</th><th class="number">Tags</th><th>Last poll</th></tr>
</thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def index_page(states: Iterable[ImageState], telemetry_path: str) -> str:
    """Return the page; every text that is not ours is escaped."""
    return _PAGE.format(
        version=escape(__version__),
        telemetry_path=escape(telemetry_path),
        rows="\n".join(_row(state) for state in states),
    )


def _row(state: ImageState) -> str:
    registry, image = map(escape, state.target.key)
    tags = "" if state.image is None else str(state.image.tags)
    return (
        f"<tr><td>{registry}</td><td>{image}</td>"
        f'<td class="number">{tags}</td><td>{escape(_outcome(state))}</td></tr>'
    )


def _outcome(state: ImageState) -> str:
    if state.failure is not None:
        return f"failed: {state.failure.message}; {state.failure.remedy}"
    return "not yet" if state.up is None else "succeeded"
