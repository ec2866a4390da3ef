"""A connection to Redis that the driver has opened, and over which questions go without it.

Saves: half of what a round trip costs: the driver's streams and time-outs wake several tasks for each.
Invariant: answers come in the order of the questions, so one that nobody waits for any more is read and
dropped; the time of each runs from when it was put.
On failure: it is closed, and all who wait are told, as is whoever asks later.
To switch it off: let `RedisLink` ask by `redis_client.exchange`, and put by a task that does.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from hiredis import Reader
from redis.asyncio.connection import AbstractConnection, DefaultParser
from redis.exceptions import ConnectionError as DriverConnectionError
from redis.exceptions import InvalidResponse, RedisError

from authsvc.storage.redis_client import STUMBLES, Command, RedisAway, away, packed

_CLOSED = "Connection closed by server."
_TO_COME = object()


Told: TypeAlias = Callable[[list[object] | RedisAway], None]
"""Takes the answers to the commands of one round trip, or why there are none."""


@dataclass(slots=True)
class _RoundTrip:
    """How many answers it is to have, who is told of them, and until when."""

    length: int
    tell: Told
    until: float
    answers: list[object] = field(default_factory=list)


class RedisPipe(asyncio.Protocol):
    """Puts questions, each of some commands, and hands out their answers."""

    def __init__(self, connection: AbstractConnection) -> None:
        """Take over *connection*, which is connected and at rest."""
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._seconds = float(connection.socket_connect_timeout or 0)
        self._reader = Reader(
            protocolError=InvalidResponse, replyError=DefaultParser.parse_error, notEnoughData=_TO_COME
        )
        self._waiting: deque[_RoundTrip] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._error: Exception | None = None
        writer = connection._writer  # noqa: SLF001 - the driver has no other way to its transport
        self._transport = cast("asyncio.StreamWriter", writer).transport
        cast("asyncio.Transport", self._transport).set_protocol(self)

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._error is not None

    def ask(self, commands: Sequence[Command], tell: Told) -> None:
        """Put *commands* in one round trip, in the time that connecting may take; *tell* is called once."""
        if self._error is not None:
            tell(away(self._error))
            return
        request = packed(commands)
        self._waiting.append(_RoundTrip(len(commands), tell, self._loop.time() + self._seconds))
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look_at_time)
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take a piece of the answers."""
        failure: Exception | None = None
        whole: list[_RoundTrip] = []
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not _TO_COME:
                whole += self._take(answer)
        # An answer that is an error, and all that the library stumbles over in what is no answer of Redis.
        except RedisError as refusal:
            failure = refusal
        except STUMBLES as odd:
            failure = InvalidResponse(str(odd))
        for trip in whole:
            trip.tell(trip.answers)
        if failure is not None:
            self._fail(failure)

    def _take(self, answer: object) -> list[_RoundTrip]:
        """Take one answer; return the round trip that it makes whole, if it does."""
        if isinstance(answer, Exception):
            raise answer
        if not self._waiting:
            raise InvalidResponse("an answer without a question")
        first = self._waiting[0]
        first.answers.append(answer)
        return [self._waiting.popleft()] if len(first.answers) == first.length else []

    def _look_at_time(self) -> None:
        self._timer = None
        if not self._waiting:
            return
        left = self._waiting[0].until - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look_at_time)
        else:
            self._fail(TimeoutError())

    def connection_lost(self, error: Exception | None) -> None:
        """Tell all who wait that nothing more will come."""
        self._fail(error or DriverConnectionError(_CLOSED))

    def _fail(self, error: Exception) -> None:
        if self._error is not None:
            return
        self._error = error
        if self._timer is not None:
            self._timer.cancel()
        self._transport.close()
        while self._waiting:
            self._waiting.popleft().tell(away(error))

    async def close(self) -> None:
        """Close it; those who wait are told that it is."""
        self._fail(DriverConnectionError(_CLOSED))
        await self._connection.disconnect(nowait=True)
