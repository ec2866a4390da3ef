"""How soon an instance may take the denylist back to its own node from the node where another has it.

After a failover that is needed once, and done at once. Two instances that see two primaries would take it
from each other at every look, and load all of it each time: so each next time comes later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from authsvc.clock import Clock
from authsvc.secret_tokens import new_fraction

FIRST_PAUSE = timedelta(seconds=0.5)
LONGEST_PAUSE = timedelta(seconds=30)
# Without a take-over for so long nobody is at odds any more.
CALM = 2 * LONGEST_PAUSE


@dataclass
class TakeOvers:
    """The pauses between the take-overs of one instance: doubled each time, less up to a half at random."""

    clock: Clock
    fraction: Callable[[], float] = new_fraction

    def __post_init__(self) -> None:
        now = self.clock()
        self._last = now - 2 * CALM
        self._pause = self._rest = FIRST_PAUSE

    def begin(self) -> bool:
        """Whether it may be taken over now; if so, the next pause has begun."""
        now = self.clock()
        idle = now - self._last
        if timedelta(0) <= idle < self._rest:  # a clock that was set back ends a pause
            return False
        self._pause = FIRST_PAUSE if idle > CALM else min(LONGEST_PAUSE, 2 * self._pause)
        self._rest = self._pause * (1 - self.fraction() / 2)
        self._last = now
        return True
