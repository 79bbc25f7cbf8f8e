"""Families about the polls of an image."""

from ncr_exporter.metrics.families.family import IMAGE_LABELS, StateFamily, flag
from ncr_exporter.state.model import ImageState

PRESENT = "ncr_image_present"


def _unchanged_polls(state: ImageState) -> int | None:
    return None if state.target.timing.relist_after is None else state.unchanged


POLLING_FAMILIES: tuple[StateFamily, ...] = (
    StateFamily(
        "ncr_image_up",
        "1 if the last poll succeeded, 0 if it failed. Absent before the first poll.",
        labels=IMAGE_LABELS,
        value=lambda state: flag(state.up),
    ),
    StateFamily(
        "ncr_image_last_success_timestamp_seconds",
        "Time of the last successful poll. The image's other values are as of then.",
        labels=IMAGE_LABELS,
        value=lambda state: state.last_success,
    ),
    StateFamily(
        "ncr_image_poll_duration_seconds",
        "Time that the last poll took, including the wait for the rate limit.",
        labels=IMAGE_LABELS,
        value=lambda state: state.duration,
    ),
    StateFamily(
        "ncr_image_poll_interval_seconds",
        "Time between two polls, as configured.",
        labels=IMAGE_LABELS,
        value=lambda state: state.target.timing.interval,
    ),
    StateFamily(
        "ncr_image_polls_total",
        "Polls, successful or not.",
        labels=IMAGE_LABELS,
        type="counter",
        value=lambda state: state.polls,
    ),
    StateFamily(
        "ncr_image_poll_failures_total",
        "Polls that failed.",
        labels=IMAGE_LABELS,
        type="counter",
        value=lambda state: state.failures,
    ),
    StateFamily(
        "ncr_image_unchanged_polls_total",
        "Polls that the image list answered, because the image's entry in it was unchanged. They "
        "are successful polls, as of that list. Present where relist_after is configured.",
        labels=IMAGE_LABELS,
        type="counter",
        value=_unchanged_polls,
    ),
    StateFamily(
        PRESENT,
        "1 if the image exists, 0 if it is known not to exist. Absent while unknown. A failed "
        "poll alone does not change it: see ncr_image_up.",
        labels=IMAGE_LABELS,
        value=lambda state: flag(state.present),
    ),
)
