"""How many examples a property gets: what the profile says, or a share of it where one is slow."""

from hypothesis import settings


def share(part: float, *, steps: int = 0) -> settings:
    """Return settings for a part of the profile's examples; of a state machine with so many steps.

    A number written beside a property would hold for `make fuzz`, too, and end its search early.
    """
    profile = settings.get_current_profile_name()
    whole = settings.get_profile(profile).max_examples
    examples = max(1, round(whole * part))
    return settings(max_examples=examples, stateful_step_count=steps or 50)
