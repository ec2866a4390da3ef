"""Many questions, one round trip: never an answer older than its question, and nobody harms another."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsvc.storage.coalescing import CallbackCoalescer, Coalescer, Settle

Kind = Literal["awaiting", "told"]

pytestmark = pytest.mark.parametrize("kind", ["awaiting", "told"])


class Source:
    """A store whose answers wait until they are let through; `log` holds the batches it was asked."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.value = 0
        self.under_way: set[asyncio.Task[list[str]]] = set()
        self.log: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: BaseException | None = None
        self.is_short = False

    async def fetch(self, batch: Sequence[str]) -> list[str]:
        self.log.append(list(batch))
        answers = [f"{question} {self.value}" for question in batch]
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return answers[: len(answers) - self.is_short]

    def put(self, batch: Sequence[str], settle: Settle[str]) -> None:
        """Do the same, and tell the answers."""

        def tell(task: asyncio.Task[list[str]]) -> None:
            self.under_way.discard(task)
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            settle(task.result() if error is None else error)

        task = asyncio.create_task(self.fetch(batch))
        self.under_way.add(task)
        task.add_done_callback(tell)


@pytest.fixture
def source(kind: Kind) -> Source:
    return Source(kind)


def asking(source: Source, at_most: int = 100) -> Callable[[str], "asyncio.Future[str]"]:
    coalescer = (
        Coalescer(source.fetch, at_most=at_most)
        if source.kind == "awaiting"
        else CallbackCoalescer(source.put, at_most=at_most)
    )
    return lambda question: asyncio.ensure_future(coalescer.ask(question))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)


async def test_who_asks_at_the_same_time_shares_a_round_trip(source: Source) -> None:
    ask = asking(source)

    assert await asyncio.gather(*map(ask, "abc")) == ["a 0", "b 0", "c 0"]
    assert source.log == [["a", "b", "c"]]


async def test_who_asks_while_a_batch_is_under_way_is_answered_by_the_next(source: Source) -> None:
    ask = asking(source)
    source.gate.clear()
    early = ask("early")
    await until(lambda: len(source.log) == 1)

    source.value = 1  # what changed before the question is in the answer
    late = [ask("late"), ask("later")]
    source.gate.set()

    assert await early == "early 0"
    assert await asyncio.gather(*late) == ["late 1", "later 1"]
    assert source.log == [["early"], ["late", "later"]]


async def test_no_batch_is_larger_than_its_bound(source: Source) -> None:
    ask = asking(source, at_most=2)

    assert await asyncio.gather(*map(ask, "abcde")) == [f"{name} 0" for name in "abcde"]
    assert list(map(len, source.log)) == [2, 2, 1]


async def test_a_failure_reaches_everyone_of_its_batch_and_nobody_else(source: Source) -> None:
    ask = asking(source)
    source.failure = OSError("gone")
    failed = await asyncio.gather(ask("a"), ask("b"), return_exceptions=True)
    source.failure = None

    assert [type(error) for error in failed] == [OSError, OSError]
    assert await ask("c") == "c 0"


async def test_who_waits_behind_a_batch_that_fails_is_told_so_at_the_same_time(source: Source) -> None:
    """One who had to wait for its own batch would find the store as silent, and as late."""
    ask = asking(source)
    source.gate.clear()
    first = ask("first")
    await until(lambda: len(source.log) == 1)
    behind = [ask("behind"), ask("another")]
    await asyncio.sleep(0)

    source.failure = OSError("gone")
    source.gate.set()
    ended = await asyncio.gather(first, *behind, return_exceptions=True)

    assert [type(error) for error in ended] == [OSError] * 3
    assert source.log == [["first"]]
    source.failure = None
    assert await ask("next") == "next 0"


async def test_too_few_answers_are_an_error_for_all_and_the_next_is_asked(source: Source) -> None:
    ask = asking(source)
    source.is_short = True
    first, second = ask("a"), ask("b")
    await asyncio.wait([first, second], timeout=1)
    source.is_short = False

    assert second.done()
    assert isinstance(second.exception(), ValueError)
    following = ask("c")
    await asyncio.wait([following], timeout=1)
    assert following.done()


async def test_who_leaves_harms_nobody(source: Source) -> None:
    ask = asking(source)
    source.gate.clear()
    leaving, staying = ask("leaving"), ask("staying")
    await until(lambda: len(source.log) == 1)

    leaving.cancel()
    source.gate.set()

    assert await staying == "staying 0"
    assert await ask("next") == "next 0"


async def test_a_question_that_nobody_waits_for_is_not_sent(source: Source) -> None:
    ask = asking(source)
    source.gate.clear()
    first = ask("first")
    await until(lambda: len(source.log) == 1)
    left, kept = ask("left"), ask("kept")
    await asyncio.sleep(0)

    left.cancel()
    source.gate.set()

    assert (await first, await kept) == ("first 0", "kept 0")
    assert source.log == [["first"], ["kept"]]


async def test_a_look_up_that_is_cancelled_leaves_nobody_waiting(source: Source) -> None:
    ask = asking(source)
    source.failure = asyncio.CancelledError()

    ended = await asyncio.gather(ask("a"), ask("b"), return_exceptions=True)

    assert [type(error) for error in ended] == [asyncio.CancelledError, asyncio.CancelledError]


@given(steps=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40), at_most=st.integers(1, 5))
async def test_every_answer_is_the_plain_ones_or_newer(
    kind: Kind, steps: list[tuple[int, bool]], at_most: int
) -> None:
    """Whatever comes in whatever order: an answer tells of a state that held after its question."""
    source = Source(kind)
    ask = asking(source, at_most)
    asked: list[tuple[int, asyncio.Future[str]]] = []
    for turns, changes in steps:
        source.value += changes
        asked.append((source.value, ask("q")))
        for _ in range(turns):
            await asyncio.sleep(0)

    for value, task in asked:
        assert int((await task).split()[1]) >= value
