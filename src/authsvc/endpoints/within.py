"""A bound on how long something may be awaited, which costs nothing where nothing has to be awaited.

Saves: setting and cancelling a timer, which takes longer than reading a body that is there already.
Invariant: as `asyncio.timeout`, but that the steps before the first wait are not counted.
On failure: as `asyncio.timeout`.
"""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import TypeVar, cast

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[object, None, T]) -> T:
    """Return what *work* returns.

    Raises:
        TimeoutError: it waits for longer; it was cancelled.
    """
    try:
        awaited = work.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    async with asyncio.timeout(seconds):
        return await _go_on(work, awaited)


@coroutine
def _go_on(work: Coroutine[object, None, T], awaited: object) -> Generator[object, None, T]:
    """Go on with *work*, which was begun and waits for *awaited*."""
    try:
        yield awaited
    except BaseException as error:  # noqa: BLE001 - it is for whoever waits there, as it would be without us
        try:
            awaited = work.throw(error)
        except StopIteration as end:
            return cast("T", end.value)
        return (yield from _go_on(work, awaited))
    return (yield from work.__await__())
