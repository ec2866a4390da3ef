"""On what it was measured: the table says so, since only ratios travel from one machine to another."""

import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import cores

_QUIET = 0.5
_NO_DISK_SECONDS = 5e-6


def describe() -> dict[str, str]:
    """Return the processor, its cores, the memory, the kernel, and how busy it was just before."""
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "fsync": f"{_fsync_seconds() * 1e3:.2f} ms",
        "load average at the start": f"{os.getloadavg()[0]:.1f}",
    }


def doubts() -> list[str]:
    """Return why what is measured now is worth little, a sentence each; none on a quiet machine."""
    found = []
    if os.getloadavg()[0] > _QUIET:
        found.append(f"The machine was busy (load average {os.getloadavg()[0]:.1f}).")
    if _fsync_seconds() < _NO_DISK_SECONDS:
        found.append(
            "Temporary files are in memory, so no commit was durable: set TMPDIR to a folder on disk."
        )
    return found


def demand_two_cores() -> None:
    """End the program, with a sentence, where nothing can be measured."""
    if sys.platform != "linux" or cores.SERVICE == cores.OTHERS:
        sys.exit("Benchmarks need Linux and two cores: one for the service, one for the stores and the load.")


def _fsync_seconds() -> float:
    """Return how long the disk takes to keep a page, which every commit waits for."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(50):
            file.write(bytes(8192))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return median(taken)


def _first(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"
