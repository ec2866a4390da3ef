"""Where guesses are counted: in Redis for all instances, in this process while there is none to ask."""

from contextlib import suppress
from dataclasses import dataclass

import structlog

from authsvc.metrics import GUESSES_COUNTED_HERE
from authsvc.storage.guess_slots import Counters, Full, Slot
from authsvc.storage.process_guess_counters import ProcessGuessCounters
from authsvc.storage.redis_client import RedisAway
from authsvc.storage.redis_guess_counters import RedisGuessCounters

_log = structlog.stdlib.get_logger("authsvc.guesses")


@dataclass(frozen=True)
class Reserved:
    """A guess that is counted, and where it can be given back."""

    slots: list[Slot]
    counters: Counters


class GuessCounters:
    """Never without a count: a guess that finds Redis away is counted here, and so are those behind it.

    Invariant: a Redis that is away or slow costs its time-out to those who are under way when it fails.
    Nobody asks it again until a job, not a request, has reached it.
    """

    def __init__(self, shared: RedisGuessCounters | None) -> None:
        self.shared = shared
        self.own = ProcessGuessCounters()
        self._is_alone = False

    async def reserve(self, slots: list[Slot], now: int) -> Reserved | Full:
        """Count a guess in all of *slots*, or in none of them where one is full. *now*: ms since 1970."""
        if self.shared is not None and self.shared.link.node is not None:
            try:
                full = await self.shared.reserve(slots, now)
            except RedisAway as away:
                self._tell_alone(away.reason)
            else:
                self._tell_together()
                return full or Reserved(slots, self.shared)
        if self.shared is not None:
            GUESSES_COUNTED_HERE.inc()
        return await self.own.reserve(slots, now) or Reserved(slots, self.own)

    async def give_back(self, reserved: Reserved, now: int) -> None:
        """Take back a guess that was right, or was not looked at; a lost one is so in an interval."""
        with suppress(RedisAway):
            await reserved.counters.give_back(reserved.slots, now)

    async def look(self) -> None:
        """See that Redis can be asked, if there is one, before somebody's guess has to wait for it."""
        if self.shared is None:
            return
        try:
            await self.shared.reach()
        except RedisAway as away:
            self._tell_alone(away.reason)

    def _tell_alone(self, reason: str) -> None:
        if not self._is_alone:
            _log.warning("guesses_counted_here", reason=reason)
        self._is_alone = True

    def _tell_together(self) -> None:
        if self._is_alone:
            _log.info("guesses_counted_together")
        self._is_alone = False

    async def close(self) -> None:
        """Close the connection."""
        if self.shared is not None:
            await self.shared.link.close()
