"""On which cores passwords are hashed: not on the event loop's while that is busy."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from authsvc.hash_cores import cores_for_hash, move_to, usable_cores
from authsvc.passwords import PasswordHasher
from tests.fixtures.event_loop import Loop

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no cores of its own"),
    pytest.mark.skipif(len(usable_cores()) == 1, reason="there is no choice on one core"),
]


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def hasher(loop: Loop) -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(memory_kib=8, passes=1, lanes=1, threads=2, niceness=0, max_wait_seconds=60)
    hasher._turns = loop.turns(2, 2)  # noqa: SLF001 - how busy a real loop is depends on others
    yield hasher
    hasher.close()


def core_of_this_thread() -> int:
    fields = Path("/proc/thread-self/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[38 - 2])  # the 39th of all, and the name was the second


def test_beside_a_busy_loop_all_cores_but_its_own_are_for_hashes() -> None:
    for _ in range(1000):  # until the scheduler lets us stay where we are for as long as it takes to look
        before = core_of_this_thread()
        cores = cores_for_hash(loop_is_busy=True)
        if core_of_this_thread() == before:
            break

    assert cores == usable_cores() - {before}


def test_beside_an_idle_loop_all_cores_are_for_hashes() -> None:
    assert cores_for_hash(loop_is_busy=False) == usable_cores()


def test_on_one_core_there_is_no_choice() -> None:
    all_of_them = usable_cores()
    os.sched_setaffinity(0, {min(all_of_them)})
    try:
        assert cores_for_hash(loop_is_busy=True) == set()
    finally:
        os.sched_setaffinity(0, all_of_them)


def test_a_thread_stays_where_it_may_not_move() -> None:
    before = usable_cores()

    move_to({max(before) + 4096})
    move_to(set())

    assert usable_cores() == before


async def test_a_hash_leaves_its_core_to_a_busy_loop(hasher: PasswordHasher, loop: Loop) -> None:
    loop.be_busy()

    left = await hasher.beside_hashing(usable_cores)

    assert len(left) == len(usable_cores()) - 1


async def test_hashes_use_all_cores_again_when_the_loop_is_idle(hasher: PasswordHasher, loop: Loop) -> None:
    loop.be_busy()
    await hasher.beside_hashing(where)

    loop.be_idle()
    moved = [await hasher.beside_hashing(where) for _ in range(4)]

    assert dict(moved) == {thread: usable_cores() for thread, _ in moved}


def where() -> tuple[int, frozenset[int]]:
    return threading.get_native_id(), frozenset(usable_cores())
