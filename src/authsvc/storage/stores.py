"""Both stores of one process: opened, looked at, closed together."""

from dataclasses import dataclass
from typing import Literal

from redis.asyncio import Redis

from authsvc.errors import OperatorError, Unavailable, reason
from authsvc.storage import migrations, redis_client
from authsvc.storage.database import Database
from authsvc.storage.denylist import Denylist
from authsvc.storage.outage import OutageWatch

State = Literal["ok", "away", "not configured"]


@dataclass(frozen=True)
class Stores:
    """Postgres (or SQLite), and Redis where one is configured."""

    database: Database
    redis: Redis | None

    @classmethod
    def at(
        cls,
        database_url: str,
        redis_url: str | None,
        *,
        pool_size: int,
        database_timeout_seconds: float,
        redis_timeout_seconds: float,
        outages: OutageWatch,
        is_patient: bool = False,
    ) -> "Stores":
        """Return the stores at these URLs, not connected yet.

        *is_patient* lets a statement take as long as it takes: a migration, or the wait for one.
        """
        return cls(
            Database(
                database_url,
                pool_size=pool_size,
                timeout_seconds=database_timeout_seconds,
                statement_seconds=None if is_patient else database_timeout_seconds,
                outages=outages,
            ),
            None
            if redis_url is None
            else redis_client.connect(redis_url, timeout_seconds=redis_timeout_seconds),
        )

    @property
    def denylist(self) -> Denylist | None:
        """The denylist, where there is a Redis to hold it."""
        return None if self.redis is None else Denylist(self.redis)

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
            OperatorError: it is away, or behind or ahead of this version.
        """
        needed = migrations.newest_revision()
        try:
            found = await migrations.current_revision(self.database)
        except Unavailable as error:
            raise OperatorError(
                f"AUTHSVC_DATABASE_URL: the database cannot be reached {reason(error)}. "
                "Is it running, and are host, port, user, password and database name right?"
            ) from error
        if found != needed:
            raise OperatorError(
                f"The database is at migration {found or 'none'} and this version needs {needed}. "
                "Run: authsvc db upgrade"
            )

    async def check_redis(self) -> None:
        """Refuse a Redis that answers and must not be used.

        Raises:
            OperatorError: it evicts, or refuses the password.
        """
        if self.redis is not None:
            await redis_client.refuse_eviction(self.redis)

    async def states(self) -> dict[str, State]:
        """Return how each store is now."""
        redis: State = "not configured"
        if self.redis is not None:
            redis = "ok" if await redis_client.ping(self.redis) else "away"
        return {"database": "ok" if await self.database.ping() else "away", "redis": redis}

    async def close(self) -> None:
        """Close all connections."""
        if self.redis is not None:
            await self.redis.aclose()
        await self.database.close()
