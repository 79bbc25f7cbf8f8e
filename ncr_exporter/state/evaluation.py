"""What an image's listing amounts to, and when that has to be worked out again. Pure."""

from typing import NamedTuple

from ncr_exporter.inventory import ImageSummary, Knowledge, Policy, Tag, summarize
from ncr_exporter.state.model import ImageState


class Evaluation(NamedTuple):
    """What a listing amounts to, and what it was evaluated by."""

    policy: Policy
    knowledge: Knowledge
    image: ImageSummary


def evaluate(tags: tuple[Tag, ...], policy: Policy, at: float, knowledge: Knowledge) -> Evaluation:
    """Evaluate a listing that was read at `at` (seconds since the epoch)."""
    image = summarize(tags, policy, round(at * 1000), knowledge)
    return Evaluation(policy, knowledge, image)


def summary_of(
    state: ImageState, knowledge: Knowledge, evaluation: Evaluation | None = None
) -> ImageSummary | None:
    """Return the summary of a state's listing as of the moment it was read, or None without one.

    `evaluation` is used where its policy and knowledge still hold. A summary that is equal to the
    state's own stays the same object, by which others see that nothing changed.
    """
    if state.tags is None or state.last_success is None:
        return None
    policy = state.target.policy
    if evaluation is None or evaluation[:2] != (policy, knowledge):
        evaluation = evaluate(state.tags, policy, state.last_success, knowledge)
    return state.image if evaluation.image == state.image else evaluation.image


def is_outdated(state: ImageState, knowledge: Knowledge) -> bool:
    """Return whether an image must be evaluated again though it was not listed again."""
    if state.tags is None or state.image is None:
        return (state.tags is None) != (state.image is None)
    return knowledge.trusts(state.tags) != state.image.trusted
