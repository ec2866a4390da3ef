"""One connection to Redis that knows which node it leads to.

A pool would hide it: after a failover two of its connections may lead to two nodes.
"""

import asyncio
from collections.abc import Sequence

from authsvc.storage.redis_client import Command, RedisAway
from authsvc.storage.redis_node import RedisNode
from authsvc.storage.redis_pipe import RedisPipe, Told
from authsvc.storage.redis_route import RedisRoute

_LATELY_SECONDS = 0.4

_NOT_OPEN = "there is no connection to it"
_INFO: list[Command] = [("INFO", "server"), ("INFO", "replication"), ("INFO", "memory"), ("INFO", "stats")]


class RedisLink:
    """Asks and puts questions. Whatever goes wrong closes it, so no answer is left to the next."""

    def __init__(self, route: RedisRoute) -> None:
        self._route = route
        self._pipe: RedisPipe | None = None
        self._turn = asyncio.Lock()
        self._failed_at = -_LATELY_SECONDS
        self._opened_at = -_LATELY_SECONDS
        self._silent_at = -_LATELY_SECONDS
        self._node: RedisNode | None = None

    @property
    def node(self) -> RedisNode | None:
        """Where it leads, while it is open."""
        return None if self._pipe is None or self._pipe.is_closed else self._node

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

    def put(self, commands: Sequence[Command], tell: Told) -> None:
        """Put *commands* without waiting for a turn; *tell* is called once, as `RedisPipe` says."""
        if self._pipe is None:
            tell(RedisAway(_NOT_OPEN))
        else:
            self._pipe.ask(commands, tell)

    async def close(self) -> None:
        """Close the connection; `open` makes another."""
        async with self._turn:
            await self._close()

    async def _connect(self) -> RedisNode:
        self._pipe = RedisPipe(await self._route.connect())
        return await self._look()

    async def _look(self) -> RedisNode:
        answers = await self._ask(_INFO)
        self._node = RedisNode.described_by("\n".join(map(_text, answers)))
        return self._node

    async def _ask(self, commands: Sequence[Command]) -> list[object]:
        whole: asyncio.Future[list[object]] = asyncio.get_running_loop().create_future()

        def tell(told: list[object] | RedisAway) -> None:
            if whole.done():
                return
            if isinstance(told, RedisAway):
                whole.set_exception(told)
            else:
                whole.set_result(told)

        self.put(commands, tell)
        try:
            return await whole
        except RedisAway:
            await self._close()
            raise

    async def _close(self) -> None:
        pipe, self._pipe, self._node = self._pipe, None, None
        if pipe is not None:
            await pipe.close()


def _text(answer: object) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
