"""On which cores a hash runs: any, but that of the event loop while that is busy and there is another.

The scheduler gives a hash its small share of a core in one piece, until its next tick. On the core of the
loop all who ask would wait for those milliseconds, even while another core has nothing to do.
"""

import os
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path

_PROCESSOR = 36
"""Of the fields of /proc/PID/stat (proc(5)) behind the name in brackets, counted from 0."""


def usable_cores() -> set[int]:
    """Return those that the calling thread may use."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def cores_for_hash(*, loop_is_busy: bool) -> AbstractSet[int]:
    """Return those for a hash that begins; asked on the loop's thread. Empty where there is no choice."""
    cores = usable_cores()
    if len(cores) == 1 or not hasattr(os, "sched_setaffinity"):
        return frozenset()
    return cores - _core_of_this_thread() if loop_is_busy else cores


def _core_of_this_thread() -> AbstractSet[int]:
    try:
        said = Path("/proc/thread-self/stat").read_bytes()
        return {int(said.rpartition(b")")[2].split()[_PROCESSOR])}
    except (OSError, IndexError):  # none is mounted, or that of a sandbox, which tells less
        return frozenset()


def move_to(cores: AbstractSet[int]) -> None:
    """Let the calling thread run on *cores* alone, if there are any and that is allowed."""
    if cores:
        with suppress(OSError):
            os.sched_setaffinity(0, cores)
