"""Keep the denylist in Redis worth believing: find the node, load it, deliver what it has not heard of.

Redis may forget (`FLUSHALL`, an empty or an old start, a failover that lost writes), and two instances
may be connected to two nodes. The marker on the node and the node recorded in Postgres tell; until
both agree with the connection, checks ask Postgres.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from authsvc.clock import Clock
from authsvc.errors import Unavailable
from authsvc.metrics import LOADS
from authsvc.secret_tokens import new_id
from authsvc.storage import denial_rows
from authsvc.storage.database import Database
from authsvc.storage.delivery import Delivery
from authsvc.storage.denial import LONGEST_LIFE, SAFETY, Denial
from authsvc.storage.denylist import MARKER, Denylist, command
from authsvc.storage.redis_client import NAMESPACE, RedisAway
from authsvc.storage.redis_node import RedisNode
from authsvc.storage.take_overs import TakeOvers

_NONCE_MILLISECONDS = 60_000

# A flush in the middle takes the nonce away, and what was loaded before it.
_SET_MARKER = """
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""

_log = structlog.stdlib.get_logger("authsvc.denylist")


class DenylistUpkeep:
    """Looks at the denylist, twice a second and whenever a check was let down by it."""

    def __init__(self, database: Database, denylist: Denylist, delivery: Delivery, clock: Clock) -> None:
        self.denylist = denylist
        self._database = database
        self._marked_rows = denial_rows.marked_rows(database)
        self._delivery = delivery
        self._clock = clock
        self._recorded: str | None = None
        self._trusted_last: str | None = None
        self._take_overs = TakeOvers(clock)
        self._under_way: asyncio.Task[None] | None = None
        self._told: set[str] = set()

    async def look(self) -> None:
        """See that the denylist is whole, or that nobody believes it; deliver what is marked.

        Who asks while a look is under way shares it.

        Raises:
            Unavailable: the database is away; what the denylist holds is believed if it was whole.
        """
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._look_once())
        await asyncio.shield(self._under_way)

    async def try_to_look(self, *, seconds: float) -> None:
        """Do the same for so long at most, and let the next turn find the database."""
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(seconds):
                await self.look()

    async def close(self) -> None:
        """End a look that is under way."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.wait([self._under_way])
            if not self._under_way.cancelled():
                self._under_way.exception()  # told already, or of no interest any more

    async def _look_once(self) -> None:
        try:
            await self._look()
        except RedisAway as away:
            self._distrust(away.reason)

    async def _look(self) -> None:
        node, is_new = await self._node()
        self.denylist.writes.expect_again()
        try:
            waiting = denial_rows.undelivered(await self._marked_rows.rows(), self._clock())
        except Unavailable:
            # Whoever loaded it was told everything since, as far as anybody here can know.
            await self._trust_if_marked(node)
            raise
        self._recorded = waiting.node
        if waiting.node not in (None, node.run_id) and not is_new:
            self._distrust("another instance found it on another node")
            node, is_new = await self._connect()
        if waiting.node != node.run_id or not waiting.is_all or not await self._is_marked(node):
            self._take_over(waiting.node, node)
            await self._load(node)
            is_new = False  # it has everything
        await self._deliver(waiting.denials, node)
        if is_new:
            # What was answered to a connection of before may be lost with the node that had it.
            now = self._clock()
            async for denials in denial_rows.live(self._database, since=now - SAFETY, now=now):
                await self._deliver(denials, node)
        await self._trust(node)

    def _take_over(self, recorded: str | None, node: RedisNode) -> None:
        """See that nobody else has it on another node, or that it is time to take it back all the same."""
        is_contested = recorded not in (None, node.run_id, self._trusted_last)
        if is_contested and not self._take_overs.begin():
            raise RedisAway("another instance has found it on another node")

    async def _node(self) -> tuple[RedisNode, bool]:
        known = self.denylist.checks.node
        try:
            node = await self.denylist.checks.look()
        except RedisAway:
            return await self._connect()
        if node != known:
            self._distrust("its primary or its policy changed")
        return await self._usable(node), node != known

    async def _connect(self) -> tuple[RedisNode, bool]:
        if self.denylist.is_trusted:  # else there is a reason already
            self._distrust("its connection was lost")
        await self.denylist.writes.close()  # it may lead to the node of before
        return await self._usable(await self.denylist.checks.open()), True

    async def _usable(self, node: RedisNode) -> RedisNode:
        if node.evicts:  # whatever it holds when that is mended may lack something
            await self.denylist.checks.ask([("DEL", MARKER)])
        if not node.is_primary:  # whoever knows where the primary is shall be asked again
            await self.denylist.close()
        if node.problem is not None:
            raise RedisAway(node.problem)
        return node

    async def _is_marked(self, node: RedisNode) -> bool:
        return await self.denylist.checks.ask([("GET", MARKER)]) == [node.marker]

    async def _trust_if_marked(self, node: RedisNode) -> None:
        if self._recorded not in (None, node.run_id):
            raise RedisAway("the denylist was last seen on another node, and the database is away")
        if not await self._is_marked(node):
            raise RedisAway("it has forgotten what it held, and the database is away")
        await self._trust(node)

    async def _load(self, node: RedisNode) -> None:
        """Write all that Postgres holds, and then the marker.

        The node is recorded before the first row is read: a denial committed later is not taken for
        delivered by whoever wrote it to another node. Before that goes the marker of an earlier load:
        were this one cut off it would be believed, and something may have been delivered elsewhere since.
        """
        self.denylist.distrust("it is being loaded")  # told when it is done
        now, nonce, count = self._clock(), f"{NAMESPACE}loading:{new_id()}", 0
        checks = self.denylist.checks
        await checks.ask([("DEL", MARKER), ("SET", nonce, b"1", "PX", _NONCE_MILLISECONDS)])
        async with self._database.transaction() as tx:
            await denial_rows.record_node(tx, node.run_id)
        self._recorded = node.run_id
        async for denials in denial_rows.live(self._database, since=now - LONGEST_LIFE, now=now):
            await checks.ask([command(denial, now) for denial in denials])
            count += len(denials)
        if await checks.ask([("EVAL", _SET_MARKER, 2, nonce, MARKER, node.marker)]) != [1]:
            raise RedisAway("it forgot what was just loaded")
        LOADS.inc()
        self.denylist.loads += 1
        _log.info("denylist_loaded", denials=count, node=node.run_id)

    async def _deliver(self, denials: Sequence[Denial], node: RedisNode) -> None:
        """Deliver to *node*; one that does not take them cannot be believed about them."""
        if not denials:
            return
        taker = await self._delivery.deliver(denials, again=True)
        if taker is None:
            raise RedisAway(f"it takes no writes: {self.denylist.refused}")
        if taker.run_id != node.run_id:
            await self.denylist.checks.close()
            raise RedisAway("what is written goes to another node")

    async def _trust(self, node: RedisNode) -> None:
        await self.denylist.expect_no_foreign()
        if not self.denylist.is_trusted:
            _log.info("denylist_trusted", node=node.run_id)
        self._told.clear()
        self._trusted_last = node.run_id
        self.denylist.trust(node)

    def _distrust(self, reason: str) -> None:
        if reason not in self._told:
            _log.warning("denylist_not_trusted", reason=reason)
        self._told.add(reason)
        self.denylist.distrust(reason)
