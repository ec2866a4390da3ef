"""How long a hash takes, about, as the latest ones did: by this a login knows how long it would wait."""

from typing import NamedTuple

_FIRST_SECONDS = 0.05
_SMOOTHING = 0.2
_TIMES_SLOWER = 5
"""How often a hash counts what was expected of it at most, unless the processor was at it for longer."""


class HashTime(NamedTuple):
    """How many seconds a hash took, how many of the processor's, and how many were expected when it began."""

    seconds: float
    cpu_seconds: float
    expected: float


class HashEstimate:
    """What is expected of the next one, in `seconds`."""

    def __init__(self) -> None:
        self.seconds = _FIRST_SECONDS

    def learn(self, took: HashTime) -> None:
        """Take one that has ended into account.

        A process that was stopped for a minute (SIGSTOP, `docker pause`) finds that each hash which was under
        way took a minute. So no hash makes the estimate many times what it was, however many end at once;
        where hashes have become slow for good, each one that begins then raises it further.
        """
        counted = min(took.seconds, max(took.cpu_seconds, _TIMES_SLOWER * took.expected))
        self.seconds += _SMOOTHING * (counted - self.seconds)
