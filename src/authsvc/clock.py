"""Where time enters the service: every operation that needs it has a `Clock` field."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the present moment as an aware `datetime` in UTC."""

SLOW = timedelta(milliseconds=50)
"""A sample that took longer says too little of another clock to correct ours by it."""

STEP = timedelta(seconds=1)
"""No drift moves two clocks so far apart between two samples: one of them was set."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# It counts on while a host sleeps. Where there is none, a host that slept is off until the next sample.
_STEADY: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def system_clock() -> datetime:
    """Return what this host takes for now, in UTC."""
    return datetime.now(UTC)


def steady_clock() -> datetime:
    """Return a moment of a calendar of its own, which nobody can set and which only runs forward."""
    return datetime.fromtimestamp(time.clock_gettime(_STEADY), UTC)


@dataclass(frozen=True)
class Sample:
    """What another clock said at some moment between two moments of ours."""

    sent: datetime
    theirs: datetime
    received: datetime

    @property
    def trip(self) -> timedelta:
        """How long the question and its answer took together."""
        return self.received - self.sent

    @property
    def offset(self) -> timedelta:
        """How far their clock is ahead of ours if the answer took as long as the question."""
        return self.theirs - self.sent - self.trip / 2


class SharedClock:
    """Tells the time of another clock, the same on every host that asks it, whatever those hosts think.

    Invariant: it runs backwards only when the other was set back by `STEP` or more. A smaller correction
    backwards makes it stand still until it is right.
    """

    def __init__(self, source: Clock = steady_clock, guess: Clock = system_clock) -> None:
        self.source = source
        self._offset = guess() - source()
        self._quickest: timedelta | None = None
        self._not_before = _EPOCH

    def __call__(self) -> datetime:
        """Return the present moment."""
        now = self.source() + self._offset
        return now if now > self._not_before else self._not_before  # noqa: FURB136 - a fifth faster than max()

    def adjust(self, sample: Sample) -> timedelta:
        """Follow *sample*, whose own moments are of `source`; return how far that moved this clock.

        A slow one is thrown away, unless nothing better is known yet.
        """
        offset = self._offset_by(sample)
        moved = offset - self._offset
        if abs(moved) >= STEP:
            self._not_before = _EPOCH
        elif moved < timedelta(0):
            self._not_before = self()
        self._offset = offset
        return moved

    def _offset_by(self, sample: Sample) -> timedelta:
        is_first = self._quickest is None
        if self._quickest is not None and sample.trip > SLOW >= self._quickest:
            return self._offset
        self._quickest = sample.trip if self._quickest is None else min(self._quickest, sample.trip)
        # Their moment lies somewhere within the trip, so the sample contradicts only what lies outside.
        # What agrees with it is as good or better, and is kept: a loaded host does not shake the clock.
        lowest, highest = sample.theirs - sample.received, sample.theirs - sample.sent
        nearest = min(max(self._offset, lowest), highest)
        return sample.offset if is_first or abs(nearest - self._offset) >= STEP else nearest
