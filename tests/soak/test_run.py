"""A short soak of the real program: what can be told in seconds is right."""

from pathlib import Path

from tests.soak.readings import Reading
from tests.soak.run import differences, soak
from tests.soak.watched import DESCRIPTORS

SECONDS = 12.0
SEED = 3


async def test_seconds_of_faults_reloads_and_rude_clients_leave_no_wrong_answer(
    tmp_path: Path,
) -> None:
    found = await soak(SEED, SECONDS, call="", log=tmp_path / "log")
    assert found.problems == []
    assert found.done["reloads"] >= 2
    assert found.done["different faults"] >= 2
    assert found.done["scrapes read whole"] > 0, "how many, a busy machine decides"
    assert found.done["crowds that keep all connections"] > 0
    assert found.done["guesses at passwords"] > 0
    assert found.done["stalls of who reads the log"] > 0
    first, *_ = found.samples
    for sample in found.samples:  # no trend can be told in so short a time, but orders of magnitude
        assert sample.descriptors < DESCRIPTORS
        assert sample.threads < 15
        assert sample.tasks < DESCRIPTORS
        assert sample.resident < first.resident + 60


def test_at_the_end_what_is_published_must_be_what_is_there() -> None:
    truth = {("a", "app"): 3, ("a", "web"): 2, ("a", "new"): 1, ("a", "ill"): 1}
    tags = {("a", "app"): 3, ("a", "web"): 1, ("a", "old"): 4, ("a", "ill"): 1}
    up = {("a", "app"): 1.0, ("a", "web"): 1.0, ("a", "ill"): 0.0}
    assert list(differences(truth, Reading(tags=tags, up=up))) == [
        "the last poll of ('a', 'ill') has not succeeded",
        "('a', 'new') has 1 tags and is published with None",
        "('a', 'old') has None tags and is published with 4",
        "('a', 'web') has 2 tags and is published with 1",
    ]
