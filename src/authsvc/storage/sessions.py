"""Postgres: the table `session`, one row per sign-in whatever happens after.

Every change takes the row's lock and says what the row must still be, so of two racing changes the
second sees the first (READ COMMITTED looks at the condition again once it has the lock).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from authsvc.scopes import Scope, format_scope, parse_scope
from authsvc.storage.database import Database, Row, Transaction
from authsvc.storage.denial_rows import Mark
from authsvc.storage.dialect import UtcDateTime, is_one_of
from authsvc.storage.key_withdrawals import LATEST, LatestWithdrawal
from authsvc.storage.lookups import KeyCondition, Lookups
from authsvc.storage.question import Question, Value
from authsvc.storage.tables import AccountRow, SessionRow

Which = sa.ColumnElement[bool]
"""Says which sessions are meant; made by the functions below, opaque to everyone else."""


class Session(NamedTuple):
    """One sign-in, as stored. `salt`, `server_key_id` and `generation` make its refresh token.

    A tuple, since so many fields take a dataclass that is frozen several times as long to fill and to alter.
    """

    id: UUID
    account_id: UUID
    client_id: str
    scope: Scope
    salt: bytes
    server_key_id: str
    generation: int
    rotated_at: datetime
    repeats: int
    access_tokens_issued: int
    created_at: datetime
    last_used_at: datetime
    access_until: datetime
    address: str | None = None
    user_agent: str | None = None
    ended_at: datetime | None = None


class SessionOwner(NamedTuple):
    """What a session's account says today."""

    username: str
    is_disabled: bool


@dataclass(frozen=True)
class EndedSession:
    """A session that was ended (just now, if `anew`), and when the last of its access tokens is over."""

    id: UUID
    account_id: UUID
    client_id: str
    access_until: datetime
    anew: bool = True


_ENDED = tuple(getattr(SessionRow, name) for name in ("id", "account_id", "client_id", "access_until"))


_COLUMNS = tuple(getattr(SessionRow, name) for name in Session._fields)
_SCOPE = Session._fields.index("scope")


def _session(columns: Iterable[object]) -> Session:
    fields = list(columns)
    fields[_SCOPE] = parse_scope(str(fields[_SCOPE]))
    return Session._make(fields)


async def insert(tx: Transaction, session: Session) -> None:
    """Insert a new session."""
    await tx.execute(_INSERT, values(session))


_INSERT = sa.insert(SessionRow)


def values(session: Session) -> dict[str, object]:
    """Return the columns of *session*, which has not ended."""
    said = {"scope": format_scope(session.scope), "undelivered": False, "end_reason": None}
    return session._asdict() | said


class FoundSession(NamedTuple):
    """A session with what was read along with it: as it is now, or as it was if that is remembered."""

    session: Session
    owner: SessionOwner
    key_withdrawal: LatestWithdrawal
    is_remembered: bool = False


def found_by(session_id: KeyCondition[UUID]) -> sa.Select[tuple[object, ...]]:
    """Return the statement that `lookups` asks."""
    return (
        sa.select(*_COLUMNS, col(AccountRow.username), col(AccountRow.disabled_at), LATEST.scalar_subquery())
        .join(AccountRow, col(AccountRow.id) == col(SessionRow.account_id))
        .where(col(SessionRow.id) == session_id)
    )


def lookups(database: Database) -> Lookups[UUID]:
    """Return what finds sessions, ended or not, by their ids; `read` reads its rows."""
    return Lookups(database, found_by, sa.Uuid())


def read(row: Row) -> FoundSession:
    """Return what the statement found."""
    *columns, username, disabled_at, withdrawn_at = row
    return FoundSession(
        _session(columns),
        SessionOwner(username=str(username), is_disabled=disabled_at is not None),
        LatestWithdrawal(cast("datetime | None", withdrawn_at)),
    )


async def end(tx: Transaction, which: Which, *, reason: str, now: datetime, mark: Mark) -> list[EndedSession]:
    """End the sessions that are meant and have not ended; return those.

    *mark* says that the denylist still has to hear of it. Whatever it has not heard of yet is returned
    too: another may have ended a session a moment ago, and our answer will say that it is dead.
    """
    # In one order, so that two who end the same sessions do not wait for each other in a ring.
    chosen = (
        sa.select(*_ENDED, col(SessionRow.ended_at))
        .where(which, sa.or_(col(SessionRow.ended_at).is_(None), col(SessionRow.undelivered)))
        .order_by(col(SessionRow.id))
        .with_for_update(key_share=True)
    )
    found = (await tx.execute(chosen)).all()
    ended = [
        EndedSession(row.id, row.account_id, row.client_id, row.access_until, anew=False)
        for row in found
        if row.ended_at is not None
    ]
    for some in _portions([row.id for row in found if row.ended_at is None]):
        statement = (
            sa.update(SessionRow)
            .where(col(SessionRow.id).in_(some))
            .values(ended_at=now, end_reason=reason, undelivered=mark)
            .returning(*_ENDED)
        )
        ended += [EndedSession(*row) for row in await tx.execute(statement)]
    return ended


def is_session(session_id: UUID, *, account_id: UUID | None = None) -> Which:
    """The session with this id, and of this account if one is named."""
    condition = col(SessionRow.id) == session_id
    return condition if account_id is None else sa.and_(condition, col(SessionRow.account_id) == account_id)


def of_account(account_id: Value[UUID], *, but: UUID | None = None) -> Which:
    """Every session of the account, but one if it is named."""
    condition = col(SessionRow.account_id) == account_id
    return condition if but is None else sa.and_(condition, col(SessionRow.id) != but)


def beyond_newest(count: int, which: Which, dialect: sa.Dialect, *, newest: UUID | None = None) -> Which:
    """The sessions meant but for the *count* newest of them; *newest* is the newest whatever clocks say."""
    is_older = sa.case((col(SessionRow.id) == newest, 0), else_=1)
    older = (
        sa.select(col(SessionRow.id))
        .where(which)
        .order_by(is_older, col(SessionRow.created_at).desc(), col(SessionRow.id).desc())
        .offset(count)
    )
    return is_one_of(col(SessionRow.id), older, dialect)


def count_of_alive(database: Database) -> Question:
    """Return what counts the sessions that are `alive` for the same arguments.

    It also tells when a key was last withdrawn.
    """
    account_id = sa.bindparam("account_id", type_=sa.Uuid())
    used_after, created_after = (
        sa.bindparam(name, type_=UtcDateTime()) for name in ("used_after", "created_after")
    )
    which = alive(account_id, used_after=used_after, created_after=created_after)
    count = sa.select(sa.func.count(), LATEST.scalar_subquery()).select_from(SessionRow).where(which)
    return Question(database, count)


def alive(account_id: Value[UUID], *, used_after: Value[datetime], created_after: Value[datetime]) -> Which:
    """The account's sessions that have not ended and are within their limits."""
    return sa.and_(
        of_account(account_id),
        col(SessionRow.ended_at).is_(None),
        col(SessionRow.last_used_at) > used_after,
        col(SessionRow.created_at) > created_after,
    )


async def page(tx: Transaction, which: Which, *, after: UUID | None, limit: int) -> list[Session]:
    """Return at most *limit* sessions, newest first, from behind *after*."""
    statement = sa.select(*_COLUMNS).where(which)
    if after is not None:
        statement = statement.where(col(SessionRow.id) < after)
    rows = await tx.execute(statement.order_by(col(SessionRow.id).desc()).limit(limit))
    return [_session(row) for row in rows]


def _portions(ids: list[UUID]) -> Iterator[list[UUID]]:
    # A statement takes 32,766 parameters at most, and an account may have more sessions than that.
    return (ids[start : start + 1000] for start in range(0, len(ids), 1000))
