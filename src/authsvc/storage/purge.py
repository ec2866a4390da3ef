"""Delete what is over: rows that no token, check or refresh can need any more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped
from sqlmodel import SQLModel, col

from authsvc.storage.database import Database
from authsvc.storage.denial import SAFETY
from authsvc.storage.tables import AccessTokenRow, AccountRow, DeniedTokenRow, SessionRow

BATCH = 500


@dataclass(frozen=True)
class Purge:
    """Deletes in small transactions, so that nobody waits for it."""

    database: Database
    idle: timedelta
    absolute: timedelta

    async def run(self, now: datetime, progress: Callable[[str, int], None]) -> dict[str, int]:
        """Delete everything that is over; *progress* hears the table and the rows of each batch."""
        counts: dict[str, int] = {}
        for table, key, condition in self._what(now - SAFETY, now):
            name = str(table.__tablename__)
            counts[name] = 0
            while (removed := await self._batch(table, key, condition)) > 0:
                counts[name] += removed
                progress(name, removed)
        return counts

    def _what(
        self, safe: datetime, now: datetime
    ) -> list[tuple[type[SQLModel], Mapped[bytes] | Mapped[str] | Mapped[UUID], "sa.ColumnElement[bool]"]]:
        over = sa.or_(
            col(SessionRow.ended_at).is_not(None),
            col(SessionRow.last_used_at) <= now - self.idle,
            col(SessionRow.created_at) <= now - self.absolute,
        )
        with_session = sa.select(col(SessionRow.account_id))
        return [
            (AccessTokenRow, col(AccessTokenRow.sha256), col(AccessTokenRow.expires_at) <= safe),
            (DeniedTokenRow, col(DeniedTokenRow.jti), col(DeniedTokenRow.expires_at) <= safe),
            (SessionRow, col(SessionRow.id), sa.and_(over, col(SessionRow.access_until) <= safe)),
            (
                AccountRow,
                col(AccountRow.id),
                sa.and_(col(AccountRow.username_key).is_(None), col(AccountRow.id).not_in(with_session)),
            ),
        ]

    async def _batch(
        self,
        table: type[SQLModel],
        key: Mapped[bytes] | Mapped[str] | Mapped[UUID],
        condition: "sa.ColumnElement[bool]",
    ) -> int:
        chosen = sa.select(key).where(condition).limit(BATCH).with_for_update(skip_locked=True)
        async with self.database.transaction() as tx:
            result = await tx.execute(sa.delete(table).where(key.in_(chosen.scalar_subquery())))
            return int(result.rowcount)
