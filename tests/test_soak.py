"""A short soak of the real program: what can be told in seconds is right."""

import asyncio
from pathlib import Path

from tools.soak.run import soak

SECONDS = 12.0
SEED = 3


def test_seconds_of_faults_reloads_and_rude_clients_leave_no_wrong_answer(tmp_path: Path) -> None:
    found = asyncio.run(soak(SEED, SECONDS, call="", log=tmp_path / "log"))
    assert found.problems == []
    assert found.done["reloads"] >= 2
    assert found.done["different faults"] >= 2
    assert found.done["scrapes read whole"] >= 10
    first, *_ = found.samples
    for sample in found.samples:  # no trend can be told in so short a time, but orders of magnitude
        assert sample.descriptors < 150
        assert sample.threads < 15
        assert sample.tasks < 150
        assert sample.resident < first.resident + 60
