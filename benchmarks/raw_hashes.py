"""The reference of logins: nothing but argon2id, through the same library, at the same cost.

Run as a program: seconds come on standard input, one a line, and a line of JSON goes out for each.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from passlib.context import CryptContext

from authsvc.settings import Settings
from benchmarks import cores
from benchmarks.program import Program

_PASSWORD = "correct horse battery staple"


class RawHashes:
    """A program that hashes for each of *places*, on those cores; where the service runs if none is named."""

    def __init__(self, *places: Iterable[int], niceness: int = 0) -> None:
        self._programs = [Program("benchmarks.raw_hashes", on=on) for on in places or ([cores.SERVICE],)]
        for program in self._programs:
            os.setpriority(os.PRIO_PROCESS, program.pid, niceness)

    def per_cpu_second(self, seconds: float) -> float:
        """Return how many passwords one second of CPU time verifies, while all of them hash for *seconds*."""
        with self.busy(seconds) as seen:
            pass
        return sum(one["hashes"] for one in seen) / sum(one["cpu_seconds"] for one in seen)

    @contextmanager
    def busy(self, seconds: float) -> Iterator[list[dict[str, float]]]:
        """Hash for *seconds* beside the block; what was done is in the list when the block is left."""
        seen: list[dict[str, float]] = []
        for program in self._programs:
            program.tell(seconds)
        yield seen
        seen += [program.hear() for program in self._programs]

    def close(self) -> None:
        """End them."""
        for program in self._programs:
            program.close()


def default_of(name: str) -> int:
    """Return what this setting of hashes is, if an operator says nothing."""
    return int(Settings.model_fields[name].default)


def main() -> None:
    """Hash on demand until standard input ends."""
    context = CryptContext(
        schemes=["argon2"],
        argon2__type="ID",
        argon2__memory_cost=default_of("hash_memory_kib"),
        argon2__time_cost=default_of("hash_passes"),
        argon2__parallelism=default_of("hash_lanes"),
    )
    stored = context.hash(_PASSWORD)
    for line in sys.stdin:
        began, count = time.process_time(), 0
        until = time.perf_counter() + float(line)
        while time.perf_counter() < until:
            assert context.verify(_PASSWORD, stored)
            count += 1
        print(json.dumps({"hashes": count, "cpu_seconds": time.process_time() - began}), flush=True)


if __name__ == "__main__":
    main()
