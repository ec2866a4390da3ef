"""Many questions, one round trip: while a batch is under way the next one gathers.

Saves: a round trip and the packing of a command for every check but one in a batch; one connection
serves all checks of a process.
Invariant: an answer is never older than its question. A question joins only a batch that has not
been sent, and no answer is kept.
On failure: all who wait for the batch get its error, and so do those who wait behind it, whose batches would
take as long to fail; unless whoever made it knows better. One who has left harms nobody.
To switch it off: `at_most=1`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeAlias, TypeVar

_WHOLE = 8  # so few take little longer than one, and are not parted

Q = TypeVar("Q")
A = TypeVar("A")
A_contra = TypeVar("A_contra", contravariant=True)

Settle: TypeAlias = Callable[[Sequence[A] | BaseException], None]
"""Takes the answers to a batch in its order, or why there are none."""


class Receiver(Protocol[A_contra]):
    """Who is told an answer: a future, or whoever need not be woken to take it."""

    def done(self) -> bool:
        """Whether it was told, or waits no more."""

    def set_result(self, answer: A_contra, /) -> None:
        """Take the answer; raises nothing."""

    def set_exception(self, error: Exception, /) -> None:
        """Take the reason why there is none; raises nothing."""


_Asked: TypeAlias = tuple[Q, Receiver[A]]


class _Closed(Exception):
    """The event loop is being closed around the question."""


def _for_all(_error: BaseException) -> bool:
    return True


class _Gathering(Generic[Q, A]):
    """The questions that wait, and how they are answered."""

    def __init__(self, at_most: int, is_for_all: Callable[[BaseException], bool]) -> None:
        self._at_most = at_most
        self._is_for_all = is_for_all
        self._waiting: deque[_Asked[Q, A]] = deque()
        self._is_busy = False

    def ask(self, question: Q) -> "asyncio.Future[A]":
        """Return the answer to come, looked up after this call; awaiting it raises what the look-up raises.

        The question is put soon, so two that are put before either is awaited share a batch that has room.
        """
        answer: asyncio.Future[A] = asyncio.Future()  # by itself it finds the loop without a system call
        self.ask_for(answer, question)
        return answer

    def ask_for(self, receiver: Receiver[A], question: Q) -> None:
        """Look the same up for *receiver*, which is told in the very moment that the answer comes."""
        self._waiting.append((question, receiver))
        if not self._is_busy:
            self._is_busy = True
            self._begin()

    def _begin(self) -> None:
        """See that what waits is put, once those who ask now have asked."""
        raise NotImplementedError

    def _next_batch(self, at_most: int) -> list[_Asked[Q, A]]:
        """Return what is to be put now, without those that nobody waits for any more; none if all is done."""
        while self._waiting:
            count = min(len(self._waiting), at_most)
            batch = [self._waiting.popleft() for _ in range(count)]
            if wanted := [asked for asked in batch if not asked[1].done()]:
                return wanted
        self._is_busy = False
        return []

    def _settle(self, batch: Sequence[_Asked[Q, A]], told: Sequence[A] | BaseException) -> None:
        if isinstance(told, BaseException):
            self._fail(batch, told)
            if self._is_for_all(told):
                self._fail(self._waiting, told)
                self._waiting.clear()
        else:
            for (_, answer), value in zip(batch, told, strict=True):
                if not answer.done():
                    answer.set_result(value)

    @staticmethod
    def _fail(questions: Iterable[_Asked[Q, A]], error: BaseException) -> None:
        for _, receiver in questions:
            if isinstance(receiver, asyncio.Future):
                _fail_future(receiver, error)
            elif not receiver.done():
                receiver.set_exception(error if isinstance(error, Exception) else _Closed(str(error)))


def _fail_future(answer: "asyncio.Future[A]", error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error) if isinstance(error, Exception) else answer.cancel()
    if not answer.cancelled():
        answer.exception()  # seen: whoever put two questions may have been let down by the other


class Coalescer(_Gathering[Q, A]):
    """Puts batches by awaiting *fetch*, which answers a whole batch in its order; one task does it."""

    def __init__(
        self,
        fetch: Callable[[Sequence[Q]], Awaitable[Sequence[A]]],
        *,
        at_most: int,
        is_for_all: Callable[[BaseException], bool] = _for_all,
        in_halves: bool = False,
    ) -> None:
        """*is_for_all*: whether those who wait behind a batch that failed so are told the same.

        *in_halves*: whether a batch takes half of those who ask over and over, so that one half is looked up
        while we work on the other. Else a batch takes all who wait, and may leave us nothing to do meanwhile.
        """
        super().__init__(at_most, is_for_all)
        self._in_halves = in_halves
        self._fetch = fetch
        self._task: asyncio.Task[None] | None = None

    def _size(self, *, answered: int) -> int:
        """Return how many the next batch takes; those who were *answered* just now will ask again."""
        asking = answered + len(self._waiting)
        is_parted = self._in_halves and asking > _WHOLE
        return min(self._at_most, -(-asking // 2)) if is_parted else self._at_most

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._put_all())

    async def _put_all(self) -> None:
        batch: list[_Asked[Q, A]] = []
        while batch := self._next_batch(self._size(answered=len(batch))):
            try:
                self._settle(batch, await self._fetch([question for question, _ in batch]))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who wait
                self._settle(batch, error)
            except BaseException as error:  # the loop is being closed around us
                self._settle(batch, error)
                self._is_busy = False
                raise


class CallbackCoalescer(_Gathering[Q, A]):
    """Puts batches by calling *put*, which tells the answers to `Settle` once; no task is needed for it."""

    def __init__(self, put: Callable[[Sequence[Q], Settle[A]], None], *, at_most: int) -> None:
        super().__init__(at_most, _for_all)
        self._put = put

    def _begin(self) -> None:
        asyncio.get_running_loop().call_soon(self._put_next)

    def _put_next(self) -> None:
        while batch := self._next_batch(self._at_most):
            try:
                self._put([question for question, _ in batch], partial(self._settle_and_go_on, batch))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who wait
                self._settle(batch, error)
            else:
                return

    def _settle_and_go_on(self, batch: Sequence[_Asked[Q, A]], told: Sequence[A] | BaseException) -> None:
        try:
            self._settle(batch, told)
        except Exception as error:  # noqa: BLE001 - as many answers as questions were to come
            self._settle(batch, error)
        self._put_next()
