"""When this process lost the database and had it again: what an overlap must not be counted through."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from authsvc.clock import Clock


@dataclass(frozen=True)
class Outage:
    """One time without the database, over now; starting is not a return."""

    lost_at: datetime
    returned_at: datetime


class OutageWatch:
    """Hears how every use of the database ended, and tells of the latest outage that is over."""

    def __init__(self, clock: Clock, overlap: timedelta) -> None:
        self.clock = clock
        self._overlap = overlap
        self._lost_at: datetime | None = None
        self._returned_at: datetime | None = None

    def failed(self, began: datetime) -> None:
        """Note that a use of the database which began at *began* could not reach it."""
        returned_at = self._returned_at
        if self._lost_at is None or (returned_at is not None and began >= returned_at + self._overlap):
            self._lost_at, self._returned_at = began, None
        elif returned_at is None:
            self._lost_at = min(self._lost_at, began)
        elif began >= returned_at:
            # Lost again before those kept waiting had their overlap: for them it is one outage.
            self._returned_at = None

    def succeeded(self, began: datetime) -> None:
        """Note that a use of the database which began at *began* went through."""
        if self._lost_at is not None and self._returned_at is None and began >= self._lost_at:
            self._returned_at = self.clock()

    def forget(self) -> None:
        """Begin anew: a start that had to wait for the database lost nothing, and is no return."""
        self._lost_at = self._returned_at = None

    def latest(self) -> Outage | None:
        """Return the latest outage, if it is over."""
        if self._lost_at is None or self._returned_at is None:
            return None
        return Outage(self._lost_at, self._returned_at)
