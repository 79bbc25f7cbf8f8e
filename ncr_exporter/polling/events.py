"""The lines that polling logs: when something starts to fail, why, and when it works again."""

from typing import Any

import structlog

from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.states import Failure

log = structlog.get_logger()


def failed(what: str, before: Failure | None, error: ApiError, **labels: Any) -> Failure:  # noqa: ANN401 -- keys of a log line
    """Log a failure and return it for the state.

    What goes on failing for the same reason has said so already: that is only for debug.
    """
    failure = Failure(error.reason, str(error), error.remedy)
    write = log.debug if before and before.reason == failure.reason else log.warning
    write(
        f"{what} failed",
        **labels,
        reason=failure.reason,
        error=failure.message,
        remedy=failure.remedy,
        **_evidence(error),
    )
    return failure


def succeeded(what: str, before: Failure | None, **labels: Any) -> None:  # noqa: ANN401 -- likewise
    """Log a success, at info where it ends a failure."""
    if before is None:
        log.debug(f"{what} succeeded", **labels)  # noqa: G004 -- likewise
    else:
        log.info(f"{what} succeeds again", **labels)  # noqa: G004 -- likewise


def unexpected(error: Exception, **labels: Any) -> ApiError:  # noqa: ANN401 -- likewise
    """Log what nobody foresaw, with its traceback, and return it as a failure like any other."""
    log.error("unexpected error", **labels, exc_info=error)
    return ApiError(f"unexpected {type(error).__name__}; the log has its traceback")


def _evidence(error: ApiError) -> dict[str, str]:
    """Return what the gateway said of itself, where it did."""
    given = {"origin": error.evidence.origin, "trace_id": error.evidence.trace_id}
    return {key: value for key, value in given.items() if value}
