"""Redis: the denylist, an index of what Postgres says was withdrawn.

It is believed only while its marker is that of the very node we are connected to: then everything
that Postgres held was loaded into it, and everything since was delivered. `denylist_upkeep.py` sees to that.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from authsvc.metrics import DENIALS
from authsvc.storage.coalescing import Coalescer
from authsvc.storage.denial import SAFETY, Denial
from authsvc.storage.redis_client import NAMESPACE, RedisAway
from authsvc.storage.redis_link import Command, RedisLink
from authsvc.storage.redis_node import RedisNode

MARKER = f"{NAMESPACE}marker"
_BATCH = 256
_PORTION = 500  # packing twenty thousand commands at once would hold up the event loop for a second

# Of two that tell what a client is now, the later one may be overtaken by the earlier.
_SET_NEWER = """
local there = redis.call('GET', KEYS[1])
if there and tonumber(string.match(there, '^%d+')) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1
"""

Found = Mapping[str, bytes]
"""The entries that there are, by their keys."""


class Denylist:
    """The denylist as this process knows it: one connection to ask, one to write."""

    def __init__(self, checks: RedisLink, writes: RedisLink) -> None:
        self.checks = checks
        self.writes = writes
        self.needs_look = asyncio.Event()
        self.reason: str | None = "it has not been looked at yet"
        self._trusted: RedisNode | None = None
        self._lookups: Coalescer[Sequence[str], Found] = Coalescer(self._fetch, at_most=_BATCH)

    @property
    def is_trusted(self) -> bool:
        """Whether checks ask it."""
        return self._trusted is not None

    def trust(self, node: RedisNode) -> None:
        """Believe *node* from now on: it holds everything."""
        # The same object where it is the same node: a batch under way holds on to it.
        self._trusted = self._trusted if self._trusted == node else node
        self.reason = None

    def distrust(self, reason: str) -> None:
        """Ask it nothing until it has been looked at."""
        self._trusted, self.reason = None, reason

    async def find(self, keys: Sequence[str]) -> Found:
        """Return the entries under *keys*; one round trip, shared with whoever asks at the same time.

        Raises:
            RedisAway: it could not be asked, or has forgotten something.
        """
        return await self._lookups.ask(keys)

    async def _fetch(self, batch: Sequence[Sequence[str]]) -> list[Found]:
        node = self._trusted
        if node is None:
            raise RedisAway(self.reason or "it is not trusted")
        names = [NAMESPACE + key for keys in batch for key in keys]
        try:
            (answer,) = await self.checks.ask([("MGET", MARKER, *names)])
        except RedisAway as away:
            self._lose(away.reason)
            raise
        marker, *values = answer if isinstance(answer, list) else [None]
        if marker != node.marker:
            self._lose("it has forgotten what it held")
        if self._trusted is not node:
            raise RedisAway("it has to be looked at first")
        told = iter(values)
        return [{key: value for key in keys if (value := next(told)) is not None} for keys in batch]

    def _lose(self, reason: str) -> None:
        self.distrust(reason)
        self.needs_look.set()

    async def deny(self, denials: Iterable[Denial], *, now: datetime) -> RedisNode:
        """Write *denials*, each for its life (a relative one: Redis may have another clock).

        Returns:
            the node that has all of them now.

        Raises:
            RedisAway: some or all could not be written.
        """
        commands = [command(denial, now) for denial in denials]
        nodes = {await self._write(commands[at : at + _PORTION]) for at in range(0, len(commands), _PORTION)}
        if len(nodes) != 1:
            raise RedisAway("its primary changed in the middle")
        DENIALS.inc(len(commands))
        return nodes.pop()

    async def _write(self, commands: Sequence[Command]) -> RedisNode:
        if self.writes.failed_lately:
            raise RedisAway("it could not be reached a moment ago")
        try:
            node = self.writes.node or await self.writes.open()
            await self.writes.ask(commands)
        except RedisAway:
            if not self.is_trusted:  # those who check do not reach it either
                raise
            # An idle connection may have been closed by whoever stands between; writing twice is the same.
            node = await self.writes.open()
            await self.writes.ask(commands)
        return node

    async def close(self) -> None:
        """Close both connections."""
        await self.checks.close()
        await self.writes.close()


def command(denial: Denial, now: datetime) -> Command:
    """Return the command that writes *denial*."""
    life = max(1, (denial.until - now + SAFETY) // timedelta(milliseconds=1))
    key = NAMESPACE + denial.key
    if denial.version is None:
        return ("SET", key, b"1", "PX", life)
    state = "enabled" if denial.is_lifted else "disabled"
    return ("EVAL", _SET_NEWER, 1, key, denial.version, state, life)
