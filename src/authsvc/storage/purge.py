"""Delete what is over: rows that no token, check or refresh can need any more.

A table is walked along an index, a window at a time: each statement is short however big the table is, and
none comes back to where rows were deleted. What somebody has locked is left for the next time.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped
from sqlmodel import SQLModel, col

from authsvc.storage.database import Database
from authsvc.storage.denial import SAFETY
from authsvc.storage.dialect import by_index_only, is_one_of
from authsvc.storage.estimate import estimated_rows
from authsvc.storage.leases import Lease
from authsvc.storage.tables import AccessTokenRow, AccountRow, DeniedTokenRow, SessionRow

WINDOW = 500
"""How many rows a statement looks at, and so how many a transaction deletes at most."""


@dataclass(frozen=True)
class Step:
    """What one window came to."""

    table: str
    seen: int
    removed: int


Place = tuple[Any, ...]
"""Where a row stands in the order of a walk."""


@dataclass
class Bookmark:
    """How far a walk has come; at the end of the table it is back at the beginning."""

    after: Place | None = None


@dataclass(frozen=True)
class Walk:
    """The rows of a table `among` which some are `over`, in an order that an index gives.

    `alike` is a column that all of these rows have the same in, if it is its index that leads to them.
    """

    table: type[SQLModel]
    order: tuple[Mapped[Any], ...]
    among: sa.ColumnElement[bool]
    over: sa.ColumnElement[bool]
    alike: tuple[Mapped[Any], ...] = ()

    def window(self, after: Place | None) -> sa.Select[Any]:
        """Return the query for the next rows: of each its place, and whether it is over."""
        statement = sa.select(*self.order, self.over).where(self.among, *self._behind(after))
        return statement.order_by(*self.alike, *self.order).limit(WINDOW)

    def removal(self, after: Place | None, last: Place, dialect: sa.Dialect) -> sa.Delete:
        """Return the statement that deletes what is over between two places, and waits for nobody."""
        key = self.order[-1]
        # Looked at again under the lock: a refresh may have been faster.
        free = (
            sa.select(key)
            .where(self.among, *self._behind(after), sa.tuple_(*self.order) <= last, self.over)
            .with_for_update(skip_locked=True)
        )
        return sa.delete(self.table).where(is_one_of(key, free, dialect))

    def _behind(self, after: Place | None) -> list[sa.ColumnElement[bool]]:
        return [] if after is None else [sa.tuple_(*self.order) > after]


@dataclass(frozen=True)
class Purge:
    """Finds and deletes rows that are over, each window in a transaction of its own."""

    database: Database
    idle: timedelta
    absolute: timedelta

    async def steps(
        self, now: datetime, lease: Lease, bookmark: Bookmark, *, windows: int | None = None
    ) -> AsyncGenerator[Step, None]:
        """Delete what is over at *now*; between two steps nothing is locked and no connection held.

        No index leads to the sessions that are over by their limits: those are looked for from the
        *bookmark* on, through so many *windows* or, without a number, through all.

        Raises:
            LeaseLost: another has taken the lease, and nothing more is deleted.
            Unavailable: the database is away.
        """
        *first, unindexed, last = self.walks(now)
        for walk in first:
            async for step in self._along(walk, lease, Bookmark()):
                yield step
        async for step in self._along(unindexed, lease, bookmark, windows):
            yield step
        async for step in self._along(last, lease, Bookmark()):
            yield step

    async def estimate(self, now: datetime) -> int:
        """Return about how many rows the steps will look at."""
        async with self.database.reading() as tx:
            return sum([await estimated_rows(tx, walk.table, walk.among) for walk in self.walks(now)])

    def walks(self, now: datetime) -> Sequence[Walk]:
        """Return what is walked, in order: what refers to a row is deleted before it."""
        token, denied, session, account = AccessTokenRow, DeniedTokenRow, SessionRow, AccountRow
        safe = now - SAFETY
        expired, lapsed = col(token.expires_at) <= safe, col(denied.expires_at) <= safe
        ended = col(session.ended_at).is_not(None)
        unused = col(session.last_used_at) <= now - self.idle
        too_old = col(session.created_at) <= now - self.absolute
        # As stored when its tokens were issued: today's settings cannot take the row from under a live one.
        tokens_over = col(session.access_until) <= safe
        is_alone = _has_no_token()
        beyond_limits = sa.and_(sa.or_(ended, unused, too_old), tokens_over, is_alone)
        name = col(account.username_key)
        deleted = name.is_(None)
        unreferred = ~sa.exists().where(col(session.account_id) == col(account.id))
        return [
            Walk(token, (col(token.expires_at), col(token.sha256)), among=expired, over=expired),
            Walk(denied, (col(denied.expires_at), col(denied.jti)), among=lapsed, over=lapsed),
            Walk(
                session,
                (col(session.ended_at), col(session.id)),
                among=ended,
                over=sa.and_(tokens_over, is_alone),
            ),
            Walk(session, (col(session.id),), among=sa.true(), over=beyond_limits),
            Walk(account, (col(account.id),), among=deleted, over=unreferred, alike=(name,)),
        ]

    async def _along(
        self, walk: Walk, lease: Lease, bookmark: Bookmark, windows: int | None = None
    ) -> AsyncGenerator[Step, None]:
        seen = 0
        while True:
            after = bookmark.after
            async with self.database.transaction() as tx:
                await by_index_only(tx)
                rows = (await tx.execute(walk.window(after))).all()
            removed = 0
            if any(row[-1] for row in rows):
                removed = await self._remove(
                    walk.removal(after, tuple(rows[-1][:-1]), self.database.engine.dialect), lease
                )
            seen += len(rows)
            bookmark.after = tuple(rows[-1][:-1]) if len(rows) == WINDOW else None
            yield Step(str(walk.table.__tablename__), len(rows), removed)
            if bookmark.after is None or (windows is not None and seen >= windows * WINDOW):
                return

    async def _remove(self, removal: sa.Delete, lease: Lease) -> int:
        async with self.database.transaction() as tx:
            await lease.keep(tx)
            await by_index_only(tx)
            return int((await tx.execute(removal)).rowcount)


def _has_no_token() -> sa.ColumnElement[bool]:
    """Return whether no access token refers to a session, whose row would take it along.

    It would wait for one that somebody has locked; the next turn finds both.
    """
    token = sa.select(sa.true()).where(col(AccessTokenRow.session_id) == col(SessionRow.id)).limit(1)
    # An EXISTS might be joined, and all tokens be read for the few sessions that are over.
    return token.correlate(SessionRow).scalar_subquery().is_(None)
