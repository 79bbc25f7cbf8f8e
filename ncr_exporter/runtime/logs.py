"""Logs on stderr: one line per event, logfmt or JSON, for this program and its libraries."""

import logging
import sys
from typing import TYPE_CHECKING, Any

from ncr_exporter.runtime.throttle import OnceAMinute

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


def configure_logs(level: str, log_format: str) -> None:
    """Write all logs of this process to stderr.

    Args:
        level: a key of `LEVELS`, the lowest that is written.
        log_format: one of `FORMATS`.
    """
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
        if log_format == "json"
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
                _in_order if log_format == "json" else _on_one_line,
                renderer,
            ],
        )
    )
    _write_to(handler, LEVELS[level])


def _write_to(handler: logging.Handler, level: int) -> None:
    """Send the standard library's logs to `handler` alone; structlog passes ours on to them."""
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # At info httpx logs each request's URL; at debug httpcore logs each header, keys included.
    for library in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.getLogger("asyncio").filters[:] = [OnceAMinute()]


def _in_order(_: object, __: str, event: Any) -> Any:  # noqa: ANN401 -- structlog's own event dict
    """Put the keys of every line first, then those that people search for most."""
    first = {key: event[key] for key in _FIRST_KEYS if key in event}
    return first | event


def _on_one_line(_: object, __: str, event: Any) -> Any:  # noqa: ANN401 -- structlog's own event dict
    """Escape control characters: peers choose some of these texts, and could forge lines."""
    return {key: _escaped(value) for key, value in _in_order(_, __, event).items()}


def _escaped(value: object) -> object:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in value
    )  # the renderer itself escapes the newline


def _short_level(_: object, __: str, event: Any) -> Any:  # noqa: ANN401 -- structlog's own event dict
    """Write the level `warn` as `--log.level` does; structlog writes `warning`."""
    if event.get("level") == "warning":
        event["level"] = "warn"
    return event
