"""The process of one `wire.py`, seen from the test."""

import subprocess
import sys
from pathlib import Path
from typing import IO, cast


class WireProcess:
    """A line to a port of loopback, with a port of its own that never changes."""

    def __init__(self, target: int) -> None:
        script = Path(__file__).with_name("wire.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), str(target)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._orders = cast("IO[str]", self._process.stdin)
        self._answers = cast("IO[str]", self._process.stdout)
        self.port = int(self._answers.readline())

    def cut(self) -> None:
        """Lose what is sent from now on, without a word to either side."""
        self._order("cut")

    def mend(self) -> None:
        self._order("mend")

    def lead_to(self, target: int) -> None:
        """Let new connections go to another port; those that are open stay where they are."""
        self._order(f"to {target}")

    def drop(self) -> None:
        """Break every open connection."""
        self._order("drop")

    def end(self) -> None:
        """Let every open connection end under what is sent over it next."""
        self._order("end")

    def close(self) -> None:
        self._process.communicate()

    def _order(self, order: str) -> None:
        self._orders.write(f"{order}\n")
        self._orders.flush()
        if self._answers.readline() != "done\n":
            raise RuntimeError(f"the wire did not obey: {order}")
