"""The queue for the one thread that computes bcrypt hashes, shared by friend and foe."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

_MOST_WAITING = 32
"""About two seconds' work at bcrypt's usual cost, 10."""


@dataclass(eq=False)
class _Waiter:
    client: str
    turn: asyncio.Future[bool] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    """True when it is the waiter's turn, False when it was dropped."""


class HashQueue:
    """Gives turns in the order of coming; where too many wait, drops one of them by chance.

    Whoever comes last is not the one dropped: those who guess passwords fill the queue first, and
    would keep everybody else out. By chance each gets through now and then, and remembered right
    passwords need no turn. The one dropped is of the client that has most waiting. So a flood from
    one host costs the others nothing.
    """

    def __init__(self) -> None:
        self._random = random.SystemRandom()
        self._waiting: list[_Waiter] = []
        self._is_taken = False

    async def turn(self, client: str) -> bool:
        """Wait for a turn, which ends by `pass_on`; return False if the caller was dropped.

        `client` is the address that the request came from.
        """
        if not self._is_taken:
            self._is_taken = True
            return True
        waiter = _Waiter(client)
        self._waiting.append(waiter)
        if len(self._waiting) > _MOST_WAITING:
            self._drop_one()
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif not waiter.turn.cancelled() and waiter.turn.result():  # it came this very moment
                self.pass_on()
            raise

    def pass_on(self) -> None:
        """End a turn."""
        while self._waiting:
            turn = self._waiting.pop(0).turn
            if not turn.done():  # cancelled, and its task has not run since
                turn.set_result(True)
                return
        self._is_taken = False

    def _drop_one(self) -> None:
        count = Counter(waiter.client for waiter in self._waiting)
        most = max(count.values())
        dropped = self._random.choice(
            [each for each in self._waiting if count[each.client] == most]
        )
        self._waiting.remove(dropped)
        if not dropped.turn.done():
            dropped.turn.set_result(False)
