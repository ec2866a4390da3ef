"""Those who ask over and over are looked up by halves: one while what the other was told is worked on."""

import asyncio
from collections.abc import Sequence

import pytest

from authsvc.storage.coalescing import Coalescer


class Store:
    """Answers each batch once it is let; `sizes` tells of those that it was asked."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.gate = asyncio.Semaphore(0)

    async def fetch(self, batch: Sequence[int]) -> Sequence[int]:
        self.sizes.append(len(batch))
        await self.gate.acquire()
        return batch


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("come", "sizes"),
    [
        pytest.param([1, 31], [1, 16, 15], id="one, and then all the others"),
        pytest.param([31, 1], [16, 16], id="all at once, and one"),
        pytest.param([100], [50, 50], id="all at once"),
        pytest.param([1, 7], [1, 7], id="few are not parted"),
        pytest.param([8], [8], id="few, all at once"),
        pytest.param([1, 8], [1, 5, 3], id="hardly more"),
    ],
)
async def test_a_batch_takes_half_of_those_who_ask(come: Sequence[int], sizes: list[int]) -> None:
    store = Store()
    coalescer = Coalescer(store.fetch, at_most=200, in_halves=True)
    asked = []
    for count in come:
        asked += [coalescer.ask(number) for number in range(count)]
        await settled()
    for _ in sizes:
        store.gate.release()
        await settled()

    assert store.sizes == sizes
    assert all(answer.done() for answer in asked)


@pytest.mark.parametrize(("count", "size"), [(32, 16), (10, 5)])
async def test_those_who_are_answered_and_ask_again_take_turns(count: int, size: int) -> None:
    """However they began: one alone, and the others behind it."""
    store = Store()
    coalescer = Coalescer(store.fetch, at_most=200, in_halves=True)

    async def go_on() -> None:
        while True:
            await coalescer.ask(0)

    first = asyncio.create_task(go_on())
    await settled()
    others = [asyncio.create_task(go_on()) for _ in range(count - 1)]
    for _ in range(8):
        await settled()
        store.gate.release()
    for task in (first, *others):
        task.cancel()

    assert store.sizes[-4:] == [size] * 4


async def test_no_batch_is_larger_than_it_may_be() -> None:
    store = Store()
    coalescer = Coalescer(store.fetch, at_most=10, in_halves=True)
    asked = [coalescer.ask(number) for number in range(25)]
    for _ in range(3):
        store.gate.release()
        await settled()

    assert store.sizes == [10, 10, 5]
    assert all(answer.done() for answer in asked)
