"""One connection to Redis that knows which node it leads to.

A pool would hide it: after a failover two of its connections may lead to two nodes.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from authsvc.storage.redis_client import Command, RedisAway, exchange, redis_errors
from authsvc.storage.redis_node import RedisNode
from authsvc.storage.redis_route import RedisRoute

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

_LATELY_SECONDS = 0.4

_INFO: list[Command] = [("INFO", "server"), ("INFO", "replication"), ("INFO", "memory"), ("INFO", "stats")]


class RedisLink:
    """Asks one question at a time. Whatever goes wrong closes it, so no answer is left to the next."""

    def __init__(self, route: RedisRoute) -> None:
        self._route = route
        self._connection: AbstractConnection | None = None
        self._turn = asyncio.Lock()
        self._failed_at = -_LATELY_SECONDS
        self._opened_at = -_LATELY_SECONDS
        self._silent_at = -_LATELY_SECONDS
        self.node: RedisNode | None = None

    async def open(self) -> RedisNode:
        """Connect anew and return the node that is there now.

        Raises:
            RedisAway: it cannot be reached.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with self._turn:
            # Of many who wait here, one tries for all.
            if self._failed_at > began:
                raise RedisAway("it could not be reached a moment ago")
            if self._opened_at > began and self.node is not None:
                return self.node
            await self._close()
            try:
                node = await self._connect()
            except BaseException as error:
                if isinstance(error, RedisAway):
                    self._failed_at = loop.time()
                    self._silent_at = self._failed_at if error.is_silence else -_LATELY_SECONDS
                await self._close()
                raise
            self._opened_at = loop.time()
            return node

    @property
    def was_silent_lately(self) -> bool:
        """Whether somebody waited for it in vain just now, so that a request need not wait again."""
        return asyncio.get_running_loop().time() < self._silent_at + _LATELY_SECONDS

    def expect_again(self) -> None:
        """Forget that it was silent: the node answers somebody else by now."""
        self._silent_at = -_LATELY_SECONDS

    async def look(self) -> RedisNode:
        """Ask the node who it is now. Raises as `ask`."""
        async with self._turn:
            return await self._look()

    async def ask(self, commands: Sequence[Command]) -> list[object]:
        """Return the answers to *commands*; one round trip.

        Raises:
            RedisAway: it is closed, or it failed and is closed now. Some of *commands* may have had effect.
        """
        async with self._turn:
            return await self._ask(commands)

    async def close(self) -> None:
        """Close the connection; `open` makes another."""
        async with self._turn:
            await self._close()

    async def _connect(self) -> RedisNode:
        self._connection = await self._route.connect()
        return await self._look()

    async def _look(self) -> RedisNode:
        answers = await self._ask(_INFO)
        self.node = RedisNode.described_by("\n".join(map(_text, answers)))
        return self.node

    async def _ask(self, commands: Sequence[Command]) -> list[object]:
        if self._connection is None:
            raise RedisAway("there is no connection to it")
        try:
            with redis_errors():
                return await exchange(self._connection, commands)
        except BaseException:
            await self._close()
            raise

    async def _close(self) -> None:
        connection, self._connection, self.node = self._connection, None, None
        if connection is not None:
            await connection.disconnect(nowait=True)


def _text(answer: object) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
