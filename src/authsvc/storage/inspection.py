"""What `authsvc doctor` asks the database about itself."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from authsvc.clock import Clock
from authsvc.storage.database import Database
from authsvc.storage.database_time import SAMPLES_AT_START, samples
from authsvc.storage.tables import SessionRow


@dataclass(frozen=True)
class Connections:
    """How many connections Postgres allows to others than superusers, and how many others hold now."""

    allowed: int
    taken: int


async def clock_offset(database: Database, clock: Clock) -> timedelta | None:
    """Return how far the database's clock is ahead of ours, by the quickest sample; None on SQLite.

    Raises:
        Unavailable: the database is away.
    """
    found = await samples(database, clock, SAMPLES_AT_START)
    return min(found, key=lambda sample: sample.trip).offset if found else None


async def takes_writes(database: Database) -> bool:
    """Whether the database can keep anything: a replica cannot. Raises as `clock_offset`."""
    async with database.reading() as tx:
        if tx.dialect.name != "postgresql":
            return True
        setting = await tx.execute(sa.text("SELECT current_setting('transaction_read_only')"))
        return bool(setting.scalar_one() == "off")


async def connections(database: Database) -> Connections | None:
    """Return the connections of Postgres; None on SQLite. Raises as `clock_offset`."""
    async with database.reading() as tx:
        if tx.dialect.name != "postgresql":
            return None
        reserved = "current_setting('superuser_reserved_connections')::int"
        usable = f"SELECT current_setting('max_connections')::int - {reserved}"
        allowed = (await tx.execute(sa.text(usable))).scalar_one()
        others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        taken = (await tx.execute(sa.text(f"{others} AND pid <> pg_backend_pid()"))).scalar_one()
    return Connections(allowed=int(allowed), taken=int(taken))


async def sessions_minted_by_others(database: Database, key_ids: Collection[str]) -> int:
    """Return how many open sessions have a refresh token of none of these keys. Raises as `clock_offset`."""
    statement = (
        sa.select(sa.func.count())
        .select_from(SessionRow)
        .where(col(SessionRow.ended_at).is_(None), col(SessionRow.server_key_id).not_in(list(key_ids)))
    )
    async with database.reading() as tx:
        return int((await tx.execute(statement)).scalar_one())
