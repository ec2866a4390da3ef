"""What all rounds of all works saw, and the medians that the tables tell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.work import Figures, Line, Work


@dataclass(frozen=True)
class Row:
    """A line with its median; `is_reached` is None where there is no goal, `figure` where the work failed."""

    line: Line
    figure: float | None
    is_reached: bool | None


@dataclass
class Results:
    """Figures of each round by work, of one side; and the works that failed, with the reason."""

    rounds: dict[str, list[Figures]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, work: str, figures: Figures) -> None:
        """Keep what one round saw."""
        self.rounds.setdefault(work, []).append(figures)

    def medians(self, work: str) -> Figures:
        """Return the median of each figure of a work; what a round did not see is nothing there."""
        seen = self.rounds.get(work, [])
        names = dict.fromkeys(name for figures in seen for name in figures)
        return {name: median(figures.get(name, 0.0) for figures in seen) for name in names}

    def rows(self, works: Sequence[Work]) -> Iterator[Row]:
        """Yield every line of these works."""
        for work in works:
            medians = {} if work.name in self.failures else self.medians(work.name)
            for line in work.lines:
                figure = medians.get(line.figure)
                if line.goal is None:
                    yield Row(line, figure, None)
                else:
                    yield Row(line, figure, figure is not None and line.goal.is_reached(figure))
