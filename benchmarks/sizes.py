"""How much is stored: rows and bytes of each table, and keys in Redis."""

import asyncio
from dataclasses import dataclass

import sqlalchemy as sa
from redis import Redis
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_OF_THROTTLING = b"{authsvc}:guesses:"
"""Keys of a fixed number, whoever logs in."""

_OF_JOBS = "lease"
"""The table with one row for each job of the service, which comes with the job's first run."""

_TABLES = (
    "SELECT tablename, pg_total_relation_size(tablename::text) FROM pg_tables WHERE schemaname = 'public'"
)


@dataclass(frozen=True)
class Sizes:
    """Rows by table, bytes of all tables with indexes, keys in Redis; without what is fixed in number."""

    rows: dict[str, int]
    bytes: int
    keys: int

    def since(self, before: "Sizes") -> "Sizes":
        """Return what has come since *before*."""
        rows = {table: count - before.rows[table] for table, count in self.rows.items()}
        grown = {table: more for table, more in rows.items() if more}
        return Sizes(grown, self.bytes - before.bytes, self.keys - before.keys)


def look(database_url: str, redis_url: str) -> Sizes:
    """Count, after a VACUUM, which takes away what updates left behind, as autovacuum does."""
    with Redis.from_url(redis_url) as client:
        keys = sum(not key.startswith(_OF_THROTTLING) for key in client.scan_iter())
    rows, size = asyncio.run(_look(database_url))
    return Sizes(rows, size, keys)


async def _look(database_url: str) -> tuple[dict[str, int], int]:
    engine = create_async_engine(database_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(sa.text("VACUUM"))
        found = await connection.execute(sa.text(_TABLES))
        tables = {str(name): int(size) for name, size in found}
        rows = {}
        for name in tables.keys() - {_OF_JOBS}:
            counted = await connection.execute(sa.select(sa.func.count()).select_from(sa.table(name)))
            rows[name] = int(counted.scalar_one())
    return rows, sum(tables.values())
