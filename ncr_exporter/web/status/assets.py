"""The page's own style, script and icon, as they are sent."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

_DIRECTORY = Path(__file__).parent / "static"
_TYPES = {
    "icon.svg": "image/svg+xml",
    "status.css": "text/css; charset=utf-8",
    "status.js": "text/javascript; charset=utf-8",
}


def content_types() -> Mapping[str, str]:
    """Return the path of each asset, and its media type."""
    return {f"/static/{name}": content_type for name, content_type in _TYPES.items()}


@cache
def asset(path: str) -> bytes:
    """Return an asset's bytes, by its path."""
    return (_DIRECTORY / path.removeprefix("/static/")).read_bytes()
