"""Logs to stderr, one line per event, as logfmt or JSON; other libraries' logs in the same form."""

import logging
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structlog.typing import Processor

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
FORMATS = ("logfmt", "json")

_FIRST_KEYS = ("ts", "level", "msg", "registry", "image", "reason")


def configure_logs(level: str, form: str) -> None:
    """Send every log of this process to stderr in `form`, from `level` on."""
    import structlog  # noqa: PLC0415 -- `health` logs nothing and is started every few seconds

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        _short_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("msg"),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.processors.LogfmtRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _in_order if form == "json" else _on_one_line,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[level])
    # At info httpx logs every request with its URL, at debug httpcore every header, keys included.
    for library in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(library).setLevel(logging.WARNING)


def _in_order(_: object, __: str, event: Any) -> Any:  # noqa: ANN401 -- structlog's own event dict
    """Put the keys that every line has first, and those most looked for next."""
    first = {key: event[key] for key in _FIRST_KEYS if key in event}
    return first | event


def _on_one_line(_: object, __: str, event: Any) -> Any:  # noqa: ANN401 -- likewise
    """Escape what could break a line or a terminal; peers choose some of these texts."""
    ordered = _in_order(_, __, event)
    return {key: _escaped(value) for key, value in ordered.items()}


def _escaped(value: object) -> object:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in value
    )  # the renderer itself escapes the newline


def _short_level(_: object, __: str, event: Any) -> Any:  # noqa: ANN401 -- likewise
    """Write `warn` as the flag does."""
    if event.get("level") == "warning":
        event["level"] = "warn"
    return event
