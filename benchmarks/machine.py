"""On what it was measured: the table says so, since only ratios travel from one machine to another."""

import os
import platform
import sys
from pathlib import Path

from benchmarks import cores

_QUIET = 0.5


def describe() -> dict[str, str]:
    """Return the processor, its cores, the memory, the kernel, and how busy it was just before."""
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "load average at the start": f"{os.getloadavg()[0]:.1f}",
    }


def is_busy() -> bool:
    """Whether others use this machine: what is measured now is worth little."""
    return os.getloadavg()[0] > _QUIET


def demand_two_cores() -> None:
    """End the program, with a sentence, where nothing can be measured."""
    if sys.platform != "linux" or cores.SERVICE == cores.OTHERS:
        sys.exit("Benchmarks need Linux and two cores: one for the service, one for the stores and the load.")


def _first(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"
