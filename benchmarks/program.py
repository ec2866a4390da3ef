"""A program of ours on cores of its own, which takes orders and answers them, a line of JSON each."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import IO, Any, cast

from benchmarks.side import ROOT


class Program:
    """`python -m MODULE`, from its start until `close`."""

    def __init__(
        self, module: str, *, on: Iterable[int], environment: Mapping[str, str] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self._process.pid, on)
        self._orders = cast("IO[str]", self._process.stdin)
        self._answers = cast("IO[str]", self._process.stdout)
        self._module = module

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def ask(self, order: object) -> Any:  # noqa: ANN401 - JSON, which the caller knows
        """Give an order and wait for the answer."""
        self.tell(order)
        return self.hear()

    def tell(self, order: object) -> None:
        """Give an order; `hear` waits for the answer."""
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()

    def hear(self) -> Any:  # noqa: ANN401 - JSON, which the caller knows
        """Wait for the next answer.

        Raises:
            ChildProcessError: the program has ended.
        """
        line = self._answers.readline()
        if not line:
            raise ChildProcessError(f"{self._module} has ended; its own words are above.")
        return json.loads(line)

    def close(self) -> None:
        """End it, in order."""
        self._process.communicate()
