"""Until when Postgres may still do what it was sent, by its own clock.

A server that hung hands on what it was sent when it goes on, though whoever asked was told long ago that it
could not be done.
"""

from datetime import UTC, datetime, timedelta

from authsvc.clock import steady_clock

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class DueTime:
    """Reckons on from what the server told the last time.

    Where its clock was set forward since, all that is sent comes too late until it tells the time again.
    """

    def __init__(self, within: timedelta) -> None:
        """*within*: how long the server may take."""
        self._within = within
        self._ahead: timedelta | None = None

    def hear(self, theirs: datetime) -> None:
        """Take the time that came with an answer, and so is no later than the server's."""
        self._ahead = theirs - steady_clock()

    def __call__(self) -> datetime:
        """Return until when what is sent now may be done: long ago, if the server has told nothing yet."""
        return _LONG_AGO if self._ahead is None else steady_clock() + self._ahead + self._within
