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


def as_api_error(error: Exception, before: Failure | None, **labels: Any) -> ApiError:  # noqa: ANN401 -- values of a log line
    """Return what a job raised as an ApiError; that is what it is, unless there is a bug.

    Anything else is logged with its traceback, except where the previous run failed in the same
    way (`before`): the log would fill with one traceback a run.
    """
    if isinstance(error, ApiError):
        return error
    unexpected = ApiError(UNEXPECTED(error=type(error).__name__))
    if before is None or before.message != str(unexpected):
        log.error("unexpected error", **labels, exc_info=error)
    return unexpected


def log_first_round(store: Store, *, seconds: float) -> None:
    """Log that everything was requested once: how many images, what failed, how long it took.

    A registry's image list counts as failed where images are found by it.
    """
    failed_lists = sum(
        registry.failure is not None and registry.target.finds_images
        for registry in store.registries.values()
    )
    failed_images = sum(image.failure is not None for image in store.images.values())
    log.info(
        "first round done",
        images=len(store.images),
        failed=failed_lists + failed_images,
        seconds=round(seconds, 1),
    )


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
            remedy="never-pulled, stale and reclaimable are left out; sizes and counts stay",
        )
    else:
        log.warning(
            "pulls are counted for the image and none of its tags shows one",
            registry=label,
            image=image,
            remedy="never-pulled, stale and reclaimable are left out for it",
        )


def warn_of_emptied_list(target: ImageTarget, tags: int) -> None:
    """Warn of a tag list that is empty where the one before had `tags` tags."""
    log.warning(
        "the tag list turned empty",
        registry=target.registry.label,
        image=target.name,
        tags_before=tags,
        remedy="the tags stay for now; they leave if the next list is empty too",
    )


def warn_of_unlisted_change(target: ImageTarget) -> None:
    """Warn that tags had changed and no image list told: they are not believed any more."""
    log.warning(
        "tags changed and the image list did not tell",
        registry=target.registry.label,
        image=target.name,
        remedy="the registry's tags are listed at each poll again; please report it as an issue",
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
    """Return the headers about a failed request that the vendor's support asks for."""
    details = error.details
    given = {
        "origin": details.origin,
        "trace_id": details.trace_id,
        "request_id": details.request_id,
    }
    return {key: value for key, value in given.items() if value}
