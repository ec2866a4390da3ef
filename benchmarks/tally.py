"""What came back to one load."""

from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any


@dataclass
class Tally:
    """Latencies in seconds, answers by status, and what each of the 200s should have said.

    `in_time` are the answers that came in the time that counts: what one load sees beside another is no
    more than that. `wrong` are 200s without the words that were `expected`; one of them is kept.
    """

    expected: bytes
    began: float = field(default_factory=perf_counter)
    ended: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    before: Counter[int] = field(default_factory=Counter)
    in_time: Counter[int] = field(default_factory=Counter)
    wrong: int = 0
    example: str = ""
    lost: int = 0

    def add(self, answer: bytes, asked_at: float) -> None:
        """Count one answer that has just come."""
        self.ended = perf_counter()
        status = int(answer[9:12])
        self.statuses[status] += 1
        self.latencies.append(self.ended - asked_at)
        if status == 200:
            if self.expected not in answer:
                self.wrong += 1
                self.example = answer.decode(errors="replace")
        elif not self.example:
            self.example = answer.decode(errors="replace")

    def begin_of_time(self) -> None:
        """Count what has come by now as too early."""
        self.before = self.statuses.copy()

    def end_of_time(self) -> None:
        """Note what has come since."""
        self.in_time = self.statuses - self.before

    def summary(self) -> dict[str, Any]:
        """Return it as JSON; `seconds` last until the last answer."""
        latencies = sorted(self.latencies)
        return {
            "seconds": max(self.ended - self.began, 1e-9),
            "answers": len(latencies),
            "p50": latencies[len(latencies) // 2] if latencies else 0,
            "p99": latencies[len(latencies) * 99 // 100] if latencies else 0,
            "statuses": {str(status): number for status, number in self.statuses.items()},
            "in_time": {str(status): number for status, number in self.in_time.items()},
            "wrong": self.wrong,
            "example": self.example,
            "lost": self.lost,
        }
