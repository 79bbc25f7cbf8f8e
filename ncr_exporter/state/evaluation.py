"""What an image's listing amounts to, and when that has to be worked out anew. Pure."""

from typing import NamedTuple

from ncr_exporter.inventory import Image, Knowledge, Policy, Tag, evaluate
from ncr_exporter.state.model import ImageState


class Judged(NamedTuple):
    """What a listing amounts to, worked out before it is put in force, and by what."""

    policy: Policy
    knowledge: Knowledge
    image: Image


def judge(tags: tuple[Tag, ...], policy: Policy, at: float, knowledge: Knowledge) -> Judged:
    """Judge a listing that was read `at` (s)."""
    return Judged(policy, knowledge, evaluate(tags, policy, round(at * 1000), knowledge))


def image_of(
    state: ImageState, knowledge: Knowledge, beforehand: Judged | None = None
) -> Image | None:
    """Return what an image is judged, as of the moment it was listed: only polls change that.

    What is judged as before stays the same object, by which others see that nothing changed.
    """
    if state.tags is None or state.last_success is None:
        return None
    policy = state.target.policy
    if beforehand is None or beforehand[:2] != (policy, knowledge):
        beforehand = judge(state.tags, policy, state.last_success, knowledge)
    return state.image if beforehand.image == state.image else beforehand.image


def is_outdated(state: ImageState, knowledge: Knowledge) -> bool:
    """Tell whether an image is to be judged anew though it was not listed anew."""
    if state.tags is None or state.image is None:
        return (state.tags is None) != (state.image is None)
    return knowledge.trusts(state.tags) != state.image.trusted
