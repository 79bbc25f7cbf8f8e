"""Which clock ages and staleness go by, where this host's and the gateways' differ."""

import pytest

from ncr_exporter.ncr.corrected_clock import CorrectedClock
from ncr_exporter.ncr.signing import GatewayClock
from tests.support.clock import EPOCH, ManualClock


def corrected(*skews: float | None) -> float:
    """Return the correction after gateways answered with these skews; None: it did not answer."""
    host = ManualClock(EPOCH)
    gateways = [GatewayClock(host) for _ in skews]
    for gateway, skew in zip(gateways, skews, strict=True):
        if skew is not None:
            gateway.update(EPOCH + skew)
    clock = CorrectedClock(host, lambda: gateways)
    assert clock.time() == EPOCH + clock.correction
    return clock.correction


@pytest.mark.parametrize(
    ("skews", "correction"),
    [
        ([], 0),
        ([None], 0),
        ([0.5], 0),
        ([59.0], 0),
        ([61.0], 61),
        ([-7200.0], -7200),
        ([-7200.0, None], -7200),
        ([-7200.0, -7201.0], -7200),
        ([7201.0, 7200.0], 7200),
        ([-7200.0, 0.5], 0),
        ([-7200.0, 7200.0], 0),
    ],
)
def test_this_hosts_clock_is_wrong_where_every_gateway_says_so(
    skews: list[float | None], correction: float
) -> None:
    assert corrected(*skews) == correction


def test_until_a_gateway_answers_what_an_earlier_run_knew_is_assumed() -> None:
    host = ManualClock(EPOCH)
    gateway = GatewayClock(host)
    clock = CorrectedClock(host, lambda: [gateway], assumed=lambda: -7200.0)
    assert clock.time() == EPOCH - 7200
    gateway.update(EPOCH + 1)
    assert clock.time() == EPOCH


async def test_time_that_passes_is_the_hosts() -> None:
    host = ManualClock(EPOCH)
    gateway = GatewayClock(host)
    gateway.update(EPOCH - 7200)
    clock = CorrectedClock(host, lambda: [gateway])
    assert clock.monotonic() == host.monotonic()
    called: list[float] = []
    clock.call_later(10, lambda: called.append(clock.time()))
    await host.advance(10)
    assert called == [EPOCH - 7200 + 10]
    await clock.sleep(0)
