"""Many questions, one round trip: while a batch is under way the next one gathers.

Saves: a round trip and the packing of a command for every check but one in a batch; one connection
serves all checks of a process.
Invariant: an answer is never older than its question. A question joins only a batch that has not
been sent, and no answer is kept.
On failure: all who wait for the batch get its error, and so do those who wait behind it, whose batches would
take as long to fail. One who has left harms nobody.
To switch it off: `at_most=1`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Generic, TypeAlias, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

Settle: TypeAlias = Callable[[Sequence[A] | BaseException], None]
"""Takes the answers to a batch in its order, or why there are none."""

Put: TypeAlias = Callable[[Sequence[Q], Settle[A]], None]
"""Puts a batch; the answers are told to `Settle`, once."""


def by_task(fetch: Callable[[Sequence[Q]], Coroutine[object, object, Sequence[A]]]) -> Put[Q, A]:
    """Return what puts a batch by a task that awaits *fetch*."""
    under_way: set[asyncio.Task[Sequence[A]]] = set()

    def put(batch: Sequence[Q], settle: Settle[A]) -> None:
        def tell(task: asyncio.Task[Sequence[A]]) -> None:
            under_way.discard(task)
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            settle(task.result() if error is None else error)

        task = asyncio.create_task(fetch(batch))
        under_way.add(task)  # the loop itself holds on to none
        task.add_done_callback(tell)

    return put


class Coalescer(Generic[Q, A]):
    """Puts questions, one batch at a time."""

    def __init__(self, put: Put[Q, A], *, at_most: int) -> None:
        self._put = put
        self._at_most = at_most
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._is_busy = False

    def ask(self, question: Q) -> "asyncio.Future[A]":
        """Return the answer to come, looked up after this call; awaiting it raises what the look-up raises.

        The question is put soon, so two that are put before either is awaited share a batch.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, answer))
        if not self._is_busy:
            self._is_busy = True
            loop.call_soon(self._send)
        return answer

    def _send(self) -> None:
        while self._waiting:
            count = min(len(self._waiting), self._at_most)
            batch = [self._waiting.popleft() for _ in range(count)]
            if wanted := [(question, answer) for question, answer in batch if not answer.done()]:
                self._put([question for question, _ in wanted], partial(self._settle, wanted))
                return
        self._is_busy = False

    def _settle(
        self, batch: Sequence[tuple[Q, asyncio.Future[A]]], told: Sequence[A] | BaseException
    ) -> None:
        """Answer the batch, and send the next."""
        if isinstance(told, BaseException):
            self._fail(batch, told)
            self._fail(self._waiting, told)
            self._waiting.clear()
        else:
            for (_, answer), value in zip(batch, told, strict=True):
                if not answer.done():
                    answer.set_result(value)
        self._send()

    @staticmethod
    def _fail(questions: Iterable[tuple[Q, asyncio.Future[A]]], error: BaseException) -> None:
        for _, answer in questions:
            if not answer.done():
                answer.set_exception(error) if isinstance(error, Exception) else answer.cancel()
            if not answer.cancelled():
                answer.exception()  # seen: whoever put two questions may have been let down by the other
