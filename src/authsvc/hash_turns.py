"""How many passwords are hashed at a time: as many as there are threads for it, or fewer than cores.

While the event loop is busy it needs a core of its own. A hash that shares that core gets little of it, and
takes from the loop what its caches hold.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

_BUSY = 0.5
_WINDOW_SECONDS = 0.05


class HashTurns:
    """Gives turns in the order in which they were asked for. It measures the thread that it is used on.

    *elapsed* and *used* tell seconds: on the wall's clock, and of the processor for this thread.
    """

    def __init__(
        self,
        threads: int,
        cores: int,
        *,
        elapsed: Callable[[], float] = time.perf_counter,
        used: Callable[[], float] = time.thread_time,
    ) -> None:
        self._threads = threads
        self._elapsed, self._used = elapsed, used
        self._beside_the_loop = max(1, min(threads, cores - 1))
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._seen_at, self._used_then = elapsed(), used()
        self._is_busy = False

    @property
    def at_most(self) -> int:
        """How many may have a turn at the same time, now."""
        return self._beside_the_loop if self.loop_is_busy else self._threads

    @property
    def loop_is_busy(self) -> bool:
        """Whether the loop used more than half of a core lately."""
        now = self._elapsed()
        if now - self._seen_at >= _WINDOW_SECONDS:
            used = self._used()
            self._is_busy = used - self._used_then > _BUSY * (now - self._seen_at)
            self._seen_at, self._used_then = now, used
        return self._is_busy

    async def take(self) -> None:
        """Wait for a turn; who has one gives it back."""
        if not self._waiting and self._taken < self.at_most:
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it came, and nobody is left to use it
                self.give_back()
            raise

    def give_back(self) -> None:
        """Let the next one have it."""
        self._taken -= 1
        while self._waiting and self._taken < self.at_most:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
