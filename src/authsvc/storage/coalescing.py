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
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Coalescer(Generic[Q, A]):
    """Puts questions to *fetch*, which answers a whole batch in its order."""

    def __init__(self, fetch: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], *, at_most: int) -> None:
        self._fetch = fetch
        self._at_most = at_most
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._sending: asyncio.Task[None] | None = None

    def ask(self, question: Q) -> "asyncio.Future[A]":
        """Return the answer to come, looked up after this call; awaiting it raises what the look-up raises.

        The question is put at once, so two that are put before either is awaited share a batch.
        """
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return answer

    async def _send(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), self._at_most)
                batch = [self._waiting.popleft() for _ in range(count)]
                if wanted := [(question, answer) for question, answer in batch if not answer.done()]:
                    error = await self._settle(wanted)
                    if error is not None:
                        self._fail(self._waiting, error)
        finally:
            self._sending = None
            while self._waiting:  # only when the loop is being closed around us
                self._waiting.popleft()[1].cancel()

    async def _settle(self, batch: Sequence[tuple[Q, asyncio.Future[A]]]) -> Exception | None:
        """Answer the batch; return what it failed with."""
        try:
            found = await self._fetch([question for question, _ in batch])
        except BaseException as error:
            self._fail(batch, error)
            if not isinstance(error, Exception):
                raise
            return error
        for (_, answer), value in zip(batch, found, strict=True):
            if not answer.done():
                answer.set_result(value)
        return None

    @staticmethod
    def _fail(questions: Iterable[tuple[Q, asyncio.Future[A]]], error: BaseException) -> None:
        for _, answer in questions:
            if not answer.done():
                answer.set_exception(error) if isinstance(error, Exception) else answer.cancel()
            if not answer.cancelled():
                answer.exception()  # seen: whoever put two questions may have been let down by the other
