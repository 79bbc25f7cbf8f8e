"""Families about how polling an image goes."""

from ncr_exporter.metrics.families.family import IMAGE, ImageFamily, of_state

PRESENT = "ncr_image_present"

POLLING_FAMILIES: tuple[ImageFamily, ...] = (
    ImageFamily(
        "ncr_image_up",
        "1 if the last poll succeeded, 0 if it failed; absent before the first.",
        IMAGE,
        samples=of_state(lambda state: None if state.up is None else int(state.up)),
    ),
    ImageFamily(
        "ncr_image_last_success_timestamp_seconds",
        "When a poll last succeeded: how old the image's other values are.",
        IMAGE,
        samples=of_state(lambda state: state.last_success),
    ),
    ImageFamily(
        "ncr_image_poll_duration_seconds",
        "How long the last poll took, waiting for its turn included.",
        IMAGE,
        samples=of_state(lambda state: state.duration),
    ),
    ImageFamily(
        "ncr_image_poll_interval_seconds",
        "Time between two polls, as configured.",
        IMAGE,
        samples=of_state(lambda state: state.target.timing.interval),
    ),
    ImageFamily(
        "ncr_image_polls_total",
        "Polls, successful or not.",
        IMAGE,
        "counter",
        samples=of_state(lambda state: state.polls),
    ),
    ImageFamily(
        "ncr_image_poll_failures_total",
        "Polls that failed.",
        IMAGE,
        "counter",
        samples=of_state(lambda state: state.failures),
    ),
    ImageFamily(
        PRESENT,
        "1 if the image exists, 0 if it is known not to; absent while unknown. A poll that fails "
        "says nothing about that: see ncr_image_up.",
        IMAGE,
        samples=of_state(lambda state: None if state.present is None else int(state.present)),
    ),
)
