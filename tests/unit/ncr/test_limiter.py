"""An account's limits at work, on a clock that is moved by hand."""

import asyncio

import pytest

from ncr_exporter.ncr.errors import ThrottledError
from ncr_exporter.ncr.fair_queue import Priority
from ncr_exporter.ncr.limiter import Limiter
from tests.support.clock import ManualClock, settle


class Office:
    """A limiter with requests that last until they are told to end."""

    def __init__(self, rate: float = 1000, slots: int = 2, patience: float = 0.0) -> None:
        self.clock = ManualClock()
        self.limiter = Limiter(rate, slots, self.clock, max_throttled_wait=patience)
        self.started: list[str] = []
        self.refused: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def ask(self, name: str, registry: str = "a", priority: Priority = Priority.TAG_LIST) -> None:
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._request(name, registry, priority))

    async def _request(self, name: str, registry: str, priority: Priority) -> None:
        try:
            async with self.limiter.slot(registry, priority):
                self.started.append(name)
                await self.ends[name].wait()
        except ThrottledError:
            self.refused.append(name)

    async def end(self, *names: str) -> None:
        for name in names:
            self.ends[name].set()
        await settle()


async def test_no_more_requests_are_in_flight_than_slots() -> None:
    office = Office(slots=2)
    for name in "abcd":
        office.ask(name)
    await office.clock.advance(1)
    assert office.started == ["a", "b"]
    await office.end("a")
    await office.clock.advance(1)
    assert office.started == ["a", "b", "c"]
    await office.end("b", "c", "d")


async def test_who_waits_for_the_rate_holds_no_slot() -> None:
    office = Office(rate=1, slots=1)
    office.ask("first")
    office.ask("second")
    await office.clock.advance(0)
    await office.end("first")
    office.ask("list", "b", Priority.IMAGE_LIST)
    await office.clock.advance(1)
    assert office.started == ["first", "list"], "the turn is given when the rate allows one"
    await office.end("list", "second")


async def test_requests_go_at_the_configured_rate() -> None:
    office = Office(rate=5, slots=100)
    for number in range(50):
        office.ask(str(number))
    await office.clock.advance(4)
    assert 20 <= len(office.started) <= 21
    await office.end(*office.ends)
    await office.clock.advance(10)


async def test_a_cancelled_waiter_gives_its_turn_to_the_next() -> None:
    office = Office(slots=1)
    for name in ("running", "gone", "next"):
        office.ask(name)
    await office.clock.advance(1)
    office.tasks["gone"].cancel()
    await office.end("running")
    await office.clock.advance(1)
    assert office.started == ["running", "next"]
    await office.end("next")


async def test_a_waiter_cancelled_in_the_moment_of_its_turn_gives_the_slot_back() -> None:
    office = Office(slots=1)
    office.ask("running")
    office.ask("gone")
    await office.clock.advance(1)
    office.ends["running"].set()
    await asyncio.sleep(0)  # "gone" has its turn now and has not run yet
    office.tasks["gone"].cancel()
    await settle()
    office.ask("next")
    await office.clock.advance(1)
    assert office.started == ["running", "next"]
    await office.end("next")


async def test_on_a_429_everybody_who_waits_fails_at_once_and_nobody_asks_until_it_is_over() -> (
    None
):
    office = Office(rate=1, slots=8)
    for name in ("a", "b", "c"):
        office.ask(name)
    await office.clock.advance(0)
    assert office.started == ["a"]
    office.limiter.record_throttling(60)
    await settle()
    assert office.refused == ["b", "c"]
    office.ask("later")
    await office.clock.advance(59)
    assert office.refused == ["b", "c", "later"]
    await office.end("a")


async def test_one_probe_ends_the_pause_while_the_others_wait_for_its_answer() -> None:
    office = Office(slots=8)
    office.limiter.record_throttling(60)
    await office.clock.advance(60)
    for name in ("probe", "b", "c"):
        office.ask(name)
    await office.clock.advance(5)
    assert office.started == ["probe"]
    office.limiter.record_response()
    await office.end("probe")
    await office.clock.advance(1)
    assert office.started == ["probe", "b", "c"]
    await office.end("b", "c")


async def test_a_probe_that_is_throttled_begins_the_pause_again() -> None:
    office = Office()
    office.limiter.record_throttling(60)
    await office.clock.advance(60)
    office.ask("probe")
    office.ask("b")
    await office.clock.advance(1)
    office.limiter.record_throttling(60)
    await office.end("probe")
    assert office.refused == ["b"]
    assert office.limiter.breaker.remaining(office.clock.monotonic()) == 60


async def test_a_probe_that_ends_without_an_answer_makes_the_next_request_the_probe() -> None:
    office = Office()
    office.limiter.record_throttling(60)
    await office.clock.advance(60)
    office.ask("probe")
    office.ask("b")
    await office.clock.advance(1)
    await office.end("probe")  # timed out, say: no answered(), no throttled()
    await office.clock.advance(1)
    assert office.started == ["probe", "b"]
    await office.end("b")


@pytest.mark.parametrize("patience", [0.0, 600.0])
async def test_after_a_few_probes_without_an_answer_nobody_waits_in_line_for_one_more(
    patience: float,
) -> None:
    office = Office(patience=patience)
    office.limiter.record_throttling(60)
    await office.clock.advance(60)
    for name in "abcdefg":
        office.ask(name)
    for name in "abc":
        await office.clock.advance(30)
        await office.end(name)  # its deadline passed
    assert office.started == ["a", "b", "c"]
    assert office.refused == ["d", "e", "f", "g"], "no poll waits for all before it to time out"
    office.ask("h")
    office.ask("i")
    await office.clock.advance(30)
    await office.end("h")
    assert office.started == ["a", "b", "c", "h"], "what is due later asks"
    assert office.refused[4:] == ["i"]
    office.ask("j")
    await office.clock.advance(1)
    office.limiter.record_response()
    assert not office.limiter.breaker.is_tripped
    await office.end("j")


async def test_an_answer_makes_probes_without_one_forgotten() -> None:
    office = Office()
    for _ in range(2):
        office.limiter.record_throttling(60)
        await office.clock.advance(60)
        for name in ("probe", "again", "waits"):
            office.ask(name)
        await office.clock.advance(1)
        await office.end("probe")
        await office.clock.advance(1)
        await office.end("again")
        await office.clock.advance(1)
        assert office.refused == []
        office.limiter.record_response()
        await office.end("waits")


async def test_a_late_success_does_not_end_a_pause_that_began_meanwhile() -> None:
    office = Office()
    office.limiter.record_throttling(60)
    office.limiter.record_response()
    with pytest.raises(ThrottledError, match="60 s"):
        async with office.limiter.slot("a", Priority.TAG_LIST):
            pass


async def test_a_429_for_each_request_in_flight_halves_the_rate_once() -> None:
    office = Office(rate=8)
    for _ in range(5):
        office.limiter.record_throttling(60)
    assert office.limiter.rate.rate == 4


async def test_with_patience_those_who_wait_go_on_waiting_and_one_probes() -> None:
    office = Office(slots=1, patience=60)
    for name in "abc":
        office.ask(name)
    await office.clock.advance(1)
    office.limiter.record_throttling(20)
    await office.end("a")
    office.ask("d")
    await office.clock.advance(19)
    assert (office.started, office.refused) == (["a"], [])
    await office.clock.advance(2)
    assert office.started == ["a", "b"], "one probe"
    office.limiter.record_response()
    await office.end("b", "c", "d")
    await office.clock.advance(1)
    assert office.started == ["a", "b", "c", "d"]
    assert office.refused == []


async def test_patience_ends_with_the_sum_of_all_pauses() -> None:
    office = Office(slots=1, patience=60)
    for name in "abc":
        office.ask(name)
    await office.clock.advance(1)
    office.limiter.record_throttling(40)
    await office.end("a")
    await office.clock.advance(41)
    assert office.started == ["a", "b"]
    office.limiter.record_throttling(40)
    await office.end("b")
    office.ask("d")
    await office.clock.advance(1)
    assert office.refused == ["c", "d"]


async def test_after_a_429_the_account_as_a_whole_slows_down_and_recovers_step_by_step() -> None:
    clock, sent = ManualClock(), 0
    limiter = Limiter(8, 8, clock)

    async def request(registry: str) -> None:
        nonlocal sent
        async with limiter.slot(registry, Priority.TAG_LIST):
            sent += 1
            limiter.record_response()

    limiter.record_throttling(10)
    await clock.advance(10)
    tasks = [asyncio.create_task(request("ab"[number % 2])) for number in range(60)]
    each_second = []
    while sent < len(tasks):
        before = sent
        await clock.advance(1)
        each_second.append(sent - before)
    *full, _rest = each_second
    assert full == sorted(full), "never slower again"
    assert 4 <= full[0] <= 5
    assert full[-1] == 8
    assert full.index(8) in range(2, 5), "within seconds, and not at once"
