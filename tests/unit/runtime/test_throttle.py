"""Lines that would be repeated thousands of times: each kind once a minute, with their number."""

import logging

from ncr_exporter.runtime.throttle import OnceAMinute, Throttle


class Hand:
    """A clock moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_first_is_let_through_and_then_one_a_minute_that_tells_of_all() -> None:
    clock = Hand()
    throttle = Throttle(clock)
    assert [throttle.times("full") for _ in range(5)] == [1, 0, 0, 0, 0]
    assert throttle.times("other") == 1
    clock.now += 59.9
    assert throttle.times("full") == 0
    clock.now += 0.1
    assert throttle.times("full") == 6
    assert throttle.times("full") == 0


def test_kinds_without_end_take_no_memory_without_end() -> None:
    clock = Hand()
    throttle = Throttle(clock)
    for number in range(1000):
        clock.now += 0.001
        assert throttle.times(f"kind {number}") == 1
    assert throttle.times("kind 999") == 0
    assert len(throttle._due) == len(throttle._held_back) == 64


def test_a_library_that_repeats_itself_is_heard_once() -> None:
    heard = OnceAMinute()
    records = [
        logging.LogRecord("asyncio", logging.WARNING, "", 0, words, (number,), None)
        for number in range(3)
        for words in ("socket.send() raised %s", "another %s")
    ]
    assert [heard.filter(record) for record in records] == [True, True, *[False] * 4]
