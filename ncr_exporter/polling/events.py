"""What polling logs: failures when they begin, recoveries, and plans beyond a limit."""

from collections.abc import Sequence
from typing import Any

import structlog

from ncr_exporter.inventory import Overwritten
from ncr_exporter.ncr.errors import ApiError
from ncr_exporter.state.model import Failure
from ncr_exporter.state.store import Store
from ncr_exporter.targets.budget import Budget
from ncr_exporter.targets.targets import Account, ImageTarget
from ncr_exporter.texts.failures import UNEXPECTED

_NAMED = 5
"""Overwritten tags of one listing that have a line of their own in the log."""

log = structlog.get_logger()


def log_failure(what: str, before: Failure | None, error: ApiError, **labels: Any) -> Failure:  # noqa: ANN401 -- values of a log line
    """Log a failure of `what`, and return it for the state.

    `before` is the failure of the previous run, None if that succeeded. A failure for the same
    reason is logged at debug: the log names each problem once.
    """
    failure = Failure(error.reason, error.message, error.remedy)
    write = log.debug if before and before.reason == failure.reason else log.warning
    write(
        f"{what} failed",
        **labels,
        reason=failure.reason,
        error=failure.message,
        remedy=failure.remedy,
        **_gateway_details(error),
    )
    return failure


def log_success(what: str, before: Failure | None, **labels: Any) -> None:  # noqa: ANN401 -- values of a log line
    """Log a success of `what`: at info if the previous run failed, else at debug."""
    if before is None:
        log.debug(f"{what} succeeded", **labels)  # noqa: G004 -- one of three words
    else:
        log.info(f"{what} succeeds again", **labels)  # noqa: G004 -- one of three words


def log_unexpected(error: Exception, **labels: Any) -> ApiError:  # noqa: ANN401 -- values of a log line
    """Log an exception that only a bug can raise, with its traceback; return it as an ApiError."""
    log.error("unexpected error", **labels, exc_info=error)
    return ApiError(UNEXPECTED(error=type(error).__name__))


def log_plan(store: Store, budget: Budget, account: Account) -> None:
    """Log how many requests an account's plan needs: a warning if that exceeds the limit."""
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
    """Warn that no pull time is known for an image, or without `image` for a whole registry.

    The warning says which metrics are absent for that reason.
    """
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


def _gateway_details(error: ApiError) -> dict[str, str]:
    """Return the gateway's headers about a failed request, which its support asks for."""
    given = {"origin": error.details.origin, "trace_id": error.details.trace_id}
    return {key: value for key, value in given.items() if value}
