"""The reference of logins: nothing but argon2id, through the same library, at the same cost, on one core.

Run as a program: seconds come on standard input, one a line, and a line of JSON goes out for each.
"""

import json
import sys
import time

from passlib.context import CryptContext

from authsvc.settings import Settings
from benchmarks import cores
from benchmarks.program import Program

_PASSWORD = "correct horse battery staple"


class RawHashes:
    """The program that hashes, where the service runs."""

    def __init__(self) -> None:
        self._program = Program("benchmarks.raw_hashes", on=[cores.SERVICE])

    def per_cpu_second(self, seconds: float) -> float:
        """Return how many passwords one second of CPU time verifies, looked at for *seconds*."""
        seen = self._program.ask(seconds)
        return float(seen["hashes"] / seen["cpu_seconds"])

    def close(self) -> None:
        """End it."""
        self._program.close()


def _default(name: str) -> int:
    return int(Settings.model_fields[name].default)


def main() -> None:
    """Hash on demand until standard input ends."""
    context = CryptContext(
        schemes=["argon2"],
        argon2__type="ID",
        argon2__memory_cost=_default("hash_memory_kib"),
        argon2__time_cost=_default("hash_passes"),
        argon2__parallelism=_default("hash_lanes"),
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
