"""What runs, and how long it still takes."""

import sys
import time


class Progress:
    """Tells on standard error. The estimate is what was planned, as much longer as the past took longer."""

    def __init__(self, planned_seconds: float) -> None:
        self._planned = planned_seconds
        self._done = 0.0
        self._began = time.perf_counter()

    def tell(self, what: str) -> None:
        """Say what begins now."""
        share = self._done / self._planned if self._planned else 1.0
        print(f"[{share:4.0%}, {self.left()}] {what}", file=sys.stderr, flush=True)

    def left(self) -> str:
        """Return how long it still takes, in words."""
        spent = time.perf_counter() - self._began
        pace = max(spent / self._done, 0.5) if self._done else 1.0
        seconds = round((self._planned - self._done) * pace)
        return f"{seconds // 60} min {seconds % 60:2} s left" if seconds >= 60 else f"{seconds} s left"

    def done(self, planned_seconds: float) -> None:
        """Count a part as done."""
        self._done = min(self._done + planned_seconds, self._planned)
