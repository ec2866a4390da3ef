"""Keep the denylist in Redis worth believing: find the node, load it, deliver what it has not heard of.

Redis may forget (`FLUSHALL`, an empty or an old start, a failover that lost writes), and two instances
may be connected to two nodes. The marker on the node and the node recorded in Postgres tell; until
both agree with the connection, checks ask Postgres.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from authsvc.clock import Clock
from authsvc.errors import Unavailable
from authsvc.metrics import LOADS
from authsvc.secret_tokens import new_id
from authsvc.storage import denial_rows
from authsvc.storage.database import Database
from authsvc.storage.delivery import Delivery
from authsvc.storage.denial import LONGEST_LIFE, SAFETY
from authsvc.storage.denial_rows import Undelivered
from authsvc.storage.denylist import MARKER, Denylist, command
from authsvc.storage.redis_client import NAMESPACE, RedisAway
from authsvc.storage.redis_node import RedisNode

_NONCE_MILLISECONDS = 60_000

# A flush in the middle takes the nonce away, and what was loaded before it.
_SET_MARKER = """
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""

_log = structlog.stdlib.get_logger("authsvc.denylist")


@dataclass(frozen=True)
class DenylistUpkeep:
    """Looks at the denylist, twice a second and whenever a check was let down by it."""

    database: Database
    denylist: Denylist
    delivery: Delivery
    clock: Clock
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> None:
        """See that the denylist is whole, or that nobody believes it; deliver what is marked.

        Raises:
            Unavailable: the database is away; what the denylist holds is believed if it was whole.
        """
        async with self._one_at_a_time:
            try:
                await self._look()
            except RedisAway as away:
                self._distrust(away.reason)

    async def try_to_look(self) -> None:
        """Do the same, and let the next turn find the database."""
        with suppress(Unavailable):
            await self.look()

    async def _look(self) -> None:
        node, is_new = await self._node()
        try:
            async with self.database.reading() as tx:
                waiting = await denial_rows.undelivered(tx, self.clock())
        except Unavailable:
            # Whoever loaded it was told everything since, as far as anybody here can know.
            await self._trust_if_marked(node)
            raise
        if waiting.node not in (None, node.run_id) and not is_new:
            self._distrust("another instance found it on another node")
            node, is_new = await self._connect()
        if waiting.node != node.run_id or not await self._is_marked(node):
            await self._load(node)
            is_new = False  # it has everything
        await self._deliver(waiting, since=SAFETY if is_new else None)
        self._trust(node)

    async def _node(self) -> tuple[RedisNode, bool]:
        known = self.denylist.checks.node
        try:
            node = await self.denylist.checks.look()
        except RedisAway:
            return await self._connect()
        if node != known:
            self._distrust("its primary or its policy changed")
        return _usable(node), node != known

    async def _connect(self) -> tuple[RedisNode, bool]:
        await self.denylist.writes.close()  # it may lead to the node of before
        return _usable(await self.denylist.checks.open()), True

    async def _is_marked(self, node: RedisNode) -> bool:
        return await self.denylist.checks.ask([("GET", MARKER)]) == [node.marker]

    async def _trust_if_marked(self, node: RedisNode) -> None:
        if not await self._is_marked(node):
            raise RedisAway("it has forgotten what it held, and the database is away")
        self._trust(node)

    async def _load(self, node: RedisNode) -> None:
        """Write all that Postgres holds, and then the marker.

        The node is recorded before the first row is read: a denial committed later is not taken for
        delivered by whoever wrote it to another node.
        """
        self._distrust("it is being loaded")
        now, nonce, count = self.clock(), f"{NAMESPACE}loading:{new_id()}", 0
        checks = self.denylist.checks
        await checks.ask([("SET", nonce, b"1", "PX", _NONCE_MILLISECONDS)])
        async with self.database.transaction() as tx:
            await denial_rows.record_node(tx, node.run_id)
        async for denials in denial_rows.live(self.database, since=now - LONGEST_LIFE, now=now):
            await checks.ask([command(denial, now) for denial in denials])
            count += len(denials)
        if await checks.ask([("EVAL", _SET_MARKER, 2, nonce, MARKER, node.marker)]) != [1]:
            raise RedisAway("it forgot what was just loaded")
        LOADS.inc()
        _log.info("denylist_loaded", denials=count, node=node.run_id)

    async def _deliver(self, waiting: Undelivered, *, since: timedelta | None) -> None:
        await self.delivery.deliver(waiting.denials)
        if since is not None:
            # What was answered to a connection of before may be lost with the node that had it.
            now = self.clock()
            async for denials in denial_rows.live(self.database, since=now - since, now=now):
                await self.delivery.deliver(denials)

    def _trust(self, node: RedisNode) -> None:
        if not self.denylist.is_trusted:
            _log.info("denylist_trusted", node=node.run_id)
        self.denylist.trust(node)

    def _distrust(self, reason: str) -> None:
        if self.denylist.reason != reason:
            _log.warning("denylist_not_trusted", reason=reason)
        self.denylist.distrust(reason)


def _usable(node: RedisNode) -> RedisNode:
    if node.problem is not None:
        raise RedisAway(node.problem)
    return node
