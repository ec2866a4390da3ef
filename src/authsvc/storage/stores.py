"""Both stores of one process: opened, looked at, closed together."""

import asyncio
from dataclasses import dataclass
from typing import Literal

from authsvc.clock import Clock
from authsvc.errors import OperatorError, Unavailable
from authsvc.storage import complaints, inspection, migrations, redis_refusal
from authsvc.storage.database import Database
from authsvc.storage.delivery import Delivery
from authsvc.storage.denylist import Denylist
from authsvc.storage.denylist_upkeep import DenylistUpkeep
from authsvc.storage.guess_counters import GuessCounters
from authsvc.storage.outage import OutageWatch
from authsvc.storage.redis_address import RedisAddress
from authsvc.storage.redis_client import RedisAway
from authsvc.storage.redis_guess_counters import RedisGuessCounters
from authsvc.storage.redis_link import RedisLink
from authsvc.storage.redis_route import RedisRoute

State = Literal["ok", "away", "not configured"]


@dataclass(frozen=True)
class Stores:
    """Postgres (or SQLite), and the denylist in Redis where one is configured."""

    database: Database
    denylist: Denylist | None
    delivery: Delivery
    upkeep: DenylistUpkeep | None
    guess_counters: GuessCounters

    @classmethod
    def at(
        cls,
        database_url: str,
        redis_url: str | None,
        *,
        pool_size: int,
        database_timeout_seconds: float,
        redis_timeout_seconds: float,
        clock: Clock,
        outages: OutageWatch,
        prepares: bool,
        is_patient: bool = False,
    ) -> "Stores":
        """Return the stores at these URLs, not connected yet.

        *is_patient* lets a statement take as long as it takes: a migration, or the wait for one.
        """
        database = Database(
            database_url,
            pool_size=pool_size,
            timeout_seconds=database_timeout_seconds,
            statement_seconds=None if is_patient else database_timeout_seconds,
            outages=outages,
            prepares=prepares,
        )
        if redis_url is None:
            return cls(database, None, Delivery(database, None, clock), None, GuessCounters(None))
        route = RedisRoute(RedisAddress.read(redis_url, timeout_seconds=redis_timeout_seconds))
        denylist = Denylist(RedisLink(route), RedisLink(route))
        delivery = Delivery(database, denylist, clock)
        upkeep = DenylistUpkeep(database, denylist, delivery, clock)
        guess_counters = GuessCounters(RedisGuessCounters(RedisLink(route)))
        return cls(database, denylist, delivery, upkeep, guess_counters)

    async def check(self) -> None:
        """Refuse stores that this version must not run on.

        Raises:
            OperatorError: as `check_database` and `check_redis`.
        """
        await self.check_database()
        await self.check_redis()

    async def check_database(self) -> None:
        """Refuse a database that this version must not run on.

        Raises:
            OperatorError: it is away, behind or ahead of this version, or takes no writes.
        """
        needed = migrations.newest_revision()
        try:
            found = await migrations.current_revision(self.database)
            takes_writes = await inspection.takes_writes(self.database)
        except Unavailable as error:
            raise OperatorError(complaints.of_database(error)) from error
        if found != needed:
            raise OperatorError(
                f"The database is at migration {found or 'none'} and this version needs {needed}. "
                "Run: authsvc db upgrade"
            )
        if not takes_writes:
            raise OperatorError(complaints.of_reading_only())

    async def check_redis(self) -> str | None:
        """Refuse a Redis that may drop denials or that no waiting mends; one that is away is looked at again.

        Returns:
            why it cannot be asked now, if it cannot.

        Raises:
            OperatorError: it evicts, is none, lets us do too little, or holds another application's values.
        """
        if self.denylist is None:
            return None
        try:
            node = await self.denylist.checks.open()
            if node.problem is None:
                await self.denylist.try_out()
        except RedisAway as away:
            if sentence := redis_refusal.sentence(away.__cause__):
                raise OperatorError(sentence) from None
            return away.reason
        if node.evicts:
            raise OperatorError(
                f"AUTHSVC_REDIS_URL: this Redis evicts keys (maxmemory-policy {node.policy}), so it could "
                "forget that a token was revoked. Set it with: redis-cli CONFIG SET maxmemory-policy "
                "noeviction (and in redis.conf), or name another Redis."
            )
        return node.problem

    async def states(self) -> dict[str, State]:
        """Return how each store is now, looking anew; at both at once, for each may take its time."""
        is_there, redis = await asyncio.gather(self.database.ping(), self._redis_state())
        return {"database": "ok" if is_there else "away", "redis": redis}

    @property
    def redis_reason(self) -> str | None:
        """Why Redis is not asked, though it is configured."""
        return None if self.denylist is None else self.denylist.reason

    async def _redis_state(self) -> State:
        if self.upkeep is None:
            return "not configured"
        await self.upkeep.try_to_look(seconds=1)
        return "ok" if self.upkeep.denylist.is_trusted else "away"

    async def close(self) -> None:
        """Close all connections."""
        if self.upkeep is not None:
            await self.upkeep.close()
            await self.upkeep.denylist.close()
        await self.guess_counters.close()
        await self.database.close()
