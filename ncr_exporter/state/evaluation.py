"""When an image's listing must be summarized again, and by which policy and knowledge. Pure."""

from collections.abc import Iterable

import msgspec

from ncr_exporter.inventory import ImageSummary, Knowledge, Policy, Tag, summarize
from ncr_exporter.state.model import ImageState


class Evaluation(msgspec.Struct, frozen=True, gc=False):
    """The summary of a listing, and what it was computed from besides the tags."""

    policy: Policy
    knowledge: Knowledge
    image: ImageSummary


def evaluate(tags: Iterable[Tag], policy: Policy, at: float, knowledge: Knowledge) -> Evaluation:
    """Summarize a complete listing that was read at `at` (seconds since the epoch)."""
    image = summarize(tuple(tags), policy, round(at * 1000), knowledge)
    return Evaluation(policy, knowledge, image)


def summary_of(
    state: ImageState, knowledge: Knowledge, evaluation: Evaluation | None = None
) -> ImageSummary | None:
    """Return the summary of a state's listing, as of when it was read; None without a listing.

    `evaluation` is an earlier result for the same listing. It is used if it was computed from the
    state's policy and from `knowledge`, and computed again otherwise.
    """
    if state.tags is None or state.last_success is None:
        return None
    policy = state.target.policy
    if evaluation is None or (evaluation.policy, evaluation.knowledge) != (policy, knowledge):
        evaluation = evaluate(state.tags, policy, state.last_success, knowledge)
    # An equal summary stays the same object: `metrics.rendering` then reuses the rendered lines.
    return state.image if evaluation.image == state.image else evaluation.image


def needs_evaluation(state: ImageState, before: ImageState, knowledge: Knowledge) -> bool:
    """Return whether the summary of `before` is no longer right for a state.

    It depends on the tags, on the moment they are known to be right at, and on what is known of
    pulls. The policy of both is the same.
    """
    if state.tags is None or state.image is None or state.last_success is None:
        return (state.tags is None) != (state.image is None)
    return (
        (state.tags is not before.tags and state.tags != before.tags)
        or not state.image.holds_at(round(state.last_success * 1000))
        or knowledge.trusts(state.tags) != state.image.trusted
    )
