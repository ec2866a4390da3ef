"""A timer that is started again far more often than it ends.

Saves: setting and cancelling one in the event loop each time, which costs as much as parsing a request.
Invariant: it ends once the time is over since it was started last, if it was not stopped since.
"""

from collections.abc import Callable
from typing import Protocol


class Handle(Protocol):
    """A timer that is set."""

    def cancel(self) -> None:
        """Set it no more."""


class Loop(Protocol):
    """What is needed of an event loop."""

    def time(self) -> float:
        """Return its time, in seconds."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Handle:
        """Call *callback* in so many seconds."""


class LazyTimer:
    """One timer of the loop goes on; when it ends, it is seen whether the time is really over."""

    def __init__(self, loop: Loop, seconds: float, end: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._end = end
        self._started_at: float | None = None
        self._handle: Handle | None = None

    def start(self) -> None:
        """Let it run from now on."""
        self._started_at = self._loop.time()
        if self._handle is None:
            self._handle = self._loop.call_later(self._seconds, self._look)

    def stop(self) -> None:
        """Let it not end before it is started again."""
        self._started_at = None

    def cancel(self) -> None:
        """Let it never end, and hold nothing."""
        self.stop()
        if self._handle is not None:
            self._handle.cancel()

    def _look(self) -> None:
        self._handle = None
        if self._started_at is None:
            return
        left = self._started_at + self._seconds - self._loop.time()
        if left > 0:
            self._handle = self._loop.call_later(left, self._look)
        else:
            self._end()
