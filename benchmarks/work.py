"""A work: what is done over and over, what is counted, and what is to be reached."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks.side import Side
from benchmarks.world import World

Figures = dict[str, float]
"""What one round saw, by name."""

Sampler = Callable[[], Figures]
"""Does the work of one round."""


@dataclass(frozen=True)
class Length:
    """How much of each work is done."""

    rounds: int
    seconds: float
    """One window of a load."""
    logins: int
    """After so many is looked at what has grown."""
    tokens: int
    """The many tokens that are asked about in turn."""


@dataclass(frozen=True)
class Goal:
    """A bound on the median of a figure."""

    bound: float
    is_most: bool

    def is_reached(self, figure: float) -> bool:
        """Whether *figure* is within the bound."""
        return figure <= self.bound if self.is_most else figure >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.is_most else '≥'} {self.bound:,g}"


def at_least(bound: float) -> Goal:
    """The figure must be *bound* or more."""
    return Goal(bound, is_most=False)


def at_most(bound: float) -> Goal:
    """The figure must be *bound* or less."""
    return Goal(bound, is_most=True)


@dataclass(frozen=True)
class Line:
    """One line of the table: a figure, what it says, and its goal. Without one it is told all the same.

    `peers` is what other systems reached on the same measure, as far as it was measured, and `best_peer`
    the best of them.
    """

    figure: str
    work: str
    measure: str
    goal: Goal | None = None
    peers: str = ""
    best_peer: float | None = None


@dataclass(frozen=True)
class Work:
    """Opened once for each side; then its rounds are those of all sides in turn."""

    name: str
    opened: Callable[[World, Side, Length], AbstractContextManager[Sampler]]
    lines: tuple[Line, ...]
    seconds: Callable[[Length], float]
    """About how long one round takes."""
    is_once: bool = False
    """What is counted and not timed is the same in every round."""
