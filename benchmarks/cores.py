"""Which core a process runs on, what CPU time it has used, and how much memory it holds (Linux only)."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_OURS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
SERVICE, OTHERS = _OURS[0], _OURS[-1]
"""The core of the service, and that of the stores and the load."""

_TICKS = os.sysconf("SC_CLK_TCK")
# Of /proc/PID/stat behind the name in brackets, counted from 0.
_PARENT, _USER, _SYSTEM = 1, 11, 12


def family(root: int) -> list[int]:
    """Return *root* and every process that descends from it."""
    parents = {pid: int(fields[_PARENT]) for pid, fields in _stats(_pids())}
    found, generation = [root], {root}
    while generation:
        generation = {pid for pid, parent in parents.items() if parent in generation}
        found += sorted(generation)
    return found


def pin(root: int, cores: Iterable[int]) -> None:
    """Let *root* and its family run on *cores* only; what they start later follows."""
    for pid in family(root):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)


def cpu_seconds(*roots: int) -> float:
    """Return the user and system time that these processes and their families have used."""
    pids = [pid for root in roots for pid in family(root)]
    return sum(int(fields[_USER]) + int(fields[_SYSTEM]) for _, fields in _stats(pids)) / _TICKS


def resident_mib(pid: int) -> float:
    """Return the memory that one process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stats(pids: Iterable[int]) -> Iterator[tuple[int, list[str]]]:
    for pid in pids:
        with contextlib.suppress(OSError):  # gone meanwhile
            yield pid, Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
