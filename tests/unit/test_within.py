"""A bound on waiting that sets no timer where nothing is waited for, and is else as `asyncio.timeout`."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from authsvc.endpoints.within import within


async def test_what_waits_for_nothing_needs_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ready() -> str:
        return "here"

    monkeypatch.setattr(asyncio, "timeout", None)

    assert await within(1, ready()) == "here"


async def test_what_waits_more_than_once_is_awaited_to_its_end() -> None:
    async def slow() -> str:
        for _ in range(3):
            await asyncio.sleep(0.001)
        return "here"

    assert await within(1, slow()) == "here"


async def test_an_error_comes_out_as_it_is() -> None:
    async def failing(*, after: float | None) -> None:
        if after is not None:
            await asyncio.sleep(after)
        raise LookupError

    for after in (None, 0, 0.001):
        with pytest.raises(LookupError):
            await within(1, failing(after=after))


@pytest.mark.parametrize("waits", [1, 2])
async def test_what_takes_too_long_is_cancelled_where_it_waits(waits: int) -> None:
    seen: list[str] = []

    async def endless() -> None:
        for _ in range(waits - 1):
            await asyncio.sleep(0)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            await asyncio.sleep(0)  # as whoever closes something
            seen.append("cleaned up")
            raise

    with pytest.raises(TimeoutError):
        await within(0.01, endless())

    assert seen == ["cancelled", "cleaned up"]


async def test_a_generator_that_is_cancelled_is_left_in_order() -> None:
    """The body of a request may come from one, and nobody would close it."""
    left = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        try:
            await asyncio.sleep(60)
            yield b""
        finally:
            left.set()

    async def first() -> bytes:
        async for part in parts():
            return part
        return b""

    with pytest.raises(TimeoutError):
        await within(0.01, first())

    assert left.is_set()


async def test_who_cancels_the_whole_cancels_what_it_waits_for() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    task = asyncio.create_task(within(60, endless()))
    await began.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
