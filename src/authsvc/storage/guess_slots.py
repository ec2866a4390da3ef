"""What is counted of guesses, and the rule: a bucket that leaks (GCRA), so one number says how full it is.

The number is the moment at which the bucket will be empty, in milliseconds. A guess moves it one interval
further, unless that would be more than `capacity` intervals ahead of now. A number from further ahead than
that is one of a clock that was off, and counts as full: nobody waits longer than a full bucket makes them.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

BUCKETS = 1_044_480
"""Of each limit. Whoever falls into one bucket is counted together."""

_AN_HOUR = 3_600_000

LimitName = Literal["account and address", "address", "account"]


@dataclass(frozen=True)
class Limit:
    """So many wrong guesses at once, and as many again in every hour."""

    name: LimitName
    capacity: int

    @property
    def interval(self) -> int:
        """After how many milliseconds one more is allowed."""
        return _AN_HOUR // self.capacity

    @property
    def span(self) -> int:
        """After how many milliseconds a full bucket is empty."""
        return self.interval * self.capacity


@dataclass(frozen=True)
class Slot:
    """One guess in one of the buckets of a limit."""

    limit: Limit
    bucket: int


@dataclass(frozen=True)
class Full:
    """The limit that a guess would exceed, the longest to wait for, and that wait in milliseconds."""

    limit: LimitName
    wait: int


class Counters(Protocol):
    """Whatever counts guesses. *now* is in milliseconds since 1970."""

    async def reserve(self, slots: list[Slot], now: int) -> Full | None:
        """Count a guess in all of *slots*, or in none of them where one is full.

        Raises:
            RedisAway: they are kept in Redis, and it could not be asked.
        """

    async def give_back(self, slots: list[Slot], now: int) -> None:
        """Take back a guess that was right, or was not looked at; raises as `reserve`."""
