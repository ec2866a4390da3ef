"""How many passwords are hashed at a time: fewer while the event loop needs a core for itself."""

import asyncio
import threading
import time

import pytest

from authsvc.hash_turns import HashTurns
from tests.fixtures.event_loop import Loop


@pytest.mark.parametrize(
    ("threads", "cores", "busy"),
    [(1, 1, 1), (2, 2, 1), (1, 2, 1), (4, 4, 3), (2, 4, 2), (4, 2, 1)],
)
async def test_a_busy_loop_has_a_core_of_its_own(threads: int, cores: int, busy: int) -> None:
    loop = Loop()
    turns = loop.turns(threads, cores)
    loop.be_busy()
    assert turns.at_most == busy

    loop.be_idle()
    assert turns.at_most == threads


def keep_busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_the_thread_that_it_is_used_on_is_measured() -> None:
    loop = Loop()
    turns = HashTurns(4, 4, elapsed=lambda: loop.now)  # on a machine with other work more time would pass
    keep_busy(0.1)
    loop.now += 0.1
    assert turns.at_most == 3

    another = threading.Thread(target=keep_busy, args=[0.3])
    another.start()
    another.join()
    loop.now += 0.3
    assert turns.at_most == 4


async def test_turns_are_given_in_the_order_in_which_they_were_asked_for() -> None:
    turns, log = HashTurns(1, 1), []

    async def work(name: str) -> None:
        await turns.take()
        log.append(name)
        await asyncio.sleep(0)
        turns.give_back()

    await asyncio.gather(*map(work, "abc"))

    assert log == ["a", "b", "c"]


async def test_who_leaves_while_waiting_takes_no_turn_along() -> None:
    turns = HashTurns(1, 1)
    await turns.take()
    waiting, leaving, too_late = (asyncio.create_task(turns.take()) for _ in range(3))
    await asyncio.sleep(0)

    leaving.cancel()
    turns.give_back()  # to the first
    turns.give_back()  # to the third, which leaves before it notices
    too_late.cancel()
    await asyncio.wait([waiting, leaving, too_late])

    following = asyncio.create_task(turns.take())
    await asyncio.wait([following], timeout=0.3)
    has_a_turn = following.done()
    following.cancel()
    assert has_a_turn


async def test_after_a_busy_time_all_that_wait_and_may_have_a_turn_get_one() -> None:
    loop = Loop()
    turns = loop.turns(2, 2)
    loop.be_busy()
    await turns.take()
    waiting = [asyncio.create_task(turns.take()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)

    loop.be_idle()
    turns.give_back()
    await asyncio.wait(waiting, timeout=1)

    assert all(one.done() for one in waiting)
