"""The lines that polling logs: when something starts to fail, why, and when it works again."""

from collections.abc import Sequence
from typing import Any

import structlog

from ncr_exporter.inventory import Overwritten
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.state.model import Failure
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Account, ImageTarget

_NAMED = 5
"""Overwritten tags of one listing that have a line of their own in the log."""

log = structlog.get_logger()


def log_failure(what: str, before: Failure | None, error: ApiError, **labels: Any) -> Failure:  # noqa: ANN401 -- keys of a log line
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


def log_success(what: str, before: Failure | None, **labels: Any) -> None:  # noqa: ANN401 -- likewise
    """Log a success, at info where it ends a failure."""
    if before is None:
        log.debug(f"{what} succeeded", **labels)  # noqa: G004 -- likewise
    else:
        log.info(f"{what} succeeds again", **labels)  # noqa: G004 -- likewise


def log_unexpected(error: Exception, **labels: Any) -> ApiError:  # noqa: ANN401 -- likewise
    """Log what nobody foresaw, with its traceback, and return it as a failure like any other."""
    log.error("unexpected error", **labels, exc_info=error)
    return ApiError(f"unexpected {type(error).__name__}; the log has its traceback")


def log_plan(store: Store, budget: Budget, account: Account) -> None:
    """Log how many requests an account's plan needs; a warning where that is above its limit."""
    labels = [target.label for target in store.targets if target.account == account]
    numbers = {
        "registry": ",".join(labels[:3]) + (",…" if len(labels) > 3 else ""),  # noqa: PLR2004 -- enough to know the account by
        "requests_per_second": round(budget.planned(account), 3),
        "limit": budget.limit,
    }
    if budget.stretch(account) > 1:
        log.warning(
            "more requests planned than the limit allows; polls come less often",
            **numbers,
            stretched_by=round(budget.stretch(account), 2),
            remedy="raise `interval` or api.requests_per_second, or share the images among shards",
        )
    else:
        log.info("requests planned", **numbers)


def warn_of_unknown_pulls(label: str, image: str | None = None) -> None:
    """Warn that nothing is known of pulls, and say what is not published for that reason."""
    if image is None:
        log.warning(
            "no image of the registry shows a pull time: what is stale is not known",
            registry=label,
            remedy="never-pulled, stale and reclaimable are left out; sizes and counts stand",
        )
    else:
        log.warning(
            "pulls are counted for the image and none of its tags shows one",
            registry=label,
            image=image,
            remedy="never-pulled, stale and reclaimable are left out for it",
        )


def warn_of_overwritten_tags(target: ImageTarget, overwritten: Sequence[Overwritten]) -> None:
    """Warn of each tag that must not change and came with other content, a few by name."""
    labels = {"registry": target.registry.label, "image": target.name}
    for tag in overwritten[:_NAMED]:
        log.warning(
            "immutable tag was overwritten",
            **labels,
            tag=tag.name,
            digest_before=tag.before,
            digest=tag.after,
            remedy="find out who pushed it; nodes that pulled it before run other content",
        )
    if len(overwritten) > _NAMED:
        further = len(overwritten) - _NAMED
        log.warning("more immutable tags were overwritten", **labels, tags=further)


def _evidence(error: ApiError) -> dict[str, str]:
    """Return what the gateway said of itself, where it did."""
    given = {"origin": error.details.origin, "trace_id": error.details.trace_id}
    return {key: value for key, value in given.items() if value}
