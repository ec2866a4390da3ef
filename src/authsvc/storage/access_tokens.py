"""Postgres: the table `access_token`, for opaque tokens; only their SHA-256 is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import SQLColumnExpression
from sqlmodel import col

from authsvc.scopes import Scope, format_scope, parse_scope
from authsvc.storage.database import Database, Transaction
from authsvc.storage.dialect import UtcDateTime, is_one_of, row_version
from authsvc.storage.lookups import KeyCondition, Lookups
from authsvc.storage.standing import Standing
from authsvc.storage.tables import AccessTokenRow, AccountRow, ClientRow, SessionRow
from authsvc.storage.token_rows import TokenRows

LIVE_TOKENS_PER_SESSION = 32


@dataclass(frozen=True)
class OpaqueToken:
    """An opaque access token, as stored."""

    sha256: bytes
    session_id: UUID | None
    client_id: str
    number: int
    scope: Scope
    audience: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class FoundToken:
    """A token's row, and what stands around it now. A client's own has no account and no username."""

    version: int | None
    username: str | None
    standing: Standing
    session_id: UUID | None
    client_id: str
    scope: Scope
    audience: str
    issued_at: datetime
    expires_at: datetime
    account_id: UUID | None


async def insert(tx: Transaction, token: OpaqueToken) -> None:
    """Insert *token*, and remove what it leaves no room for in its session.

    The caller holds the session row's lock, so tokens of one session are counted one after the other.
    """
    if token.session_id is not None:
        await tx.execute(
            _removing_old(tx.dialect),
            {"newest": token.number, "now": token.issued_at, "of": token.session_id},
        )
    await tx.execute(_INSERT, values(token))


def values(token: OpaqueToken) -> dict[str, object]:
    """Return the columns of *token*."""
    fields = {name: getattr(token, name) for name in OpaqueToken.__dataclass_fields__}
    return fields | {"scope": format_scope(token.scope)}


def old(
    session_id: sa.ColumnElement[UUID], newest: SQLColumnExpression[int], now: sa.ColumnElement[datetime]
) -> sa.Select[bytes]:
    """Return the session's expired tokens, and those that the *newest* leaves no room for, to be removed.

    They are locked, without those that somebody else has locked: a refresh waits for none of them. One that
    is left there is as dead as before, and the next refresh finds it again.
    """
    return (
        sa.select(col(AccessTokenRow.sha256))
        .where(
            col(AccessTokenRow.session_id) == session_id,
            sa.or_(col(AccessTokenRow.expires_at) <= now, _is_superseded(newest)),
        )
        .with_for_update(of=AccessTokenRow, skip_locked=True)
    )


def _is_superseded(newest: SQLColumnExpression[int]) -> sa.ColumnElement[bool]:
    return col(AccessTokenRow.number) <= newest - LIVE_TOKENS_PER_SESSION


# Built once: building a statement anew takes as long as running it.
_INSERT = sa.insert(AccessTokenRow)
_OLD = old(
    sa.bindparam("of", type_=sa.Uuid()),
    sa.bindparam("newest", type_=sa.BigInteger()),
    sa.bindparam("now", type_=UtcDateTime),
)


@lru_cache(maxsize=1)
def _removing_old(dialect: sa.Dialect) -> sa.Delete:
    return sa.delete(AccessTokenRow).where(is_one_of(col(AccessTokenRow.sha256), _OLD, dialect))


StateRow = tuple[bytes, int | None, str | None, bool, bool]
"""What can change of a token: after its SHA-256 the version of its row (see `row_version`), the username of
the account, whether the session has ended, and whether it is denied: its account is disabled, or its session
has as many newer ones as it may have; or, where the row was asked for whole, its client is disabled."""

_OF_STATE = 5
_OF_WHOLE = 12
_Rest = tuple[UUID | None, str, str, str, datetime, datetime, UUID | None]


def lookups(database: Database) -> Lookups[bytes]:
    """Return what finds tokens, dead or alive, by their SHA-256; `read` reads its rows."""
    return Lookups(database, partial(_whole_by, database.engine.dialect), sa.LargeBinary())


def rows(database: Database) -> TokenRows:
    """Return what finds the same, and clients along with it."""
    return TokenRows(database, partial(_whole_by, database.engine.dialect))


def state_rows(database: Database) -> TokenRows:
    """Return what finds no more of them than a `StateRow`, at less than half the cost.

    The token's client has to be asked for.
    """
    return TokenRows(database, partial(_state_by, database.engine.dialect))


def _whole_by(dialect: sa.Dialect, sha256: KeyCondition[bytes]) -> sa.Select[tuple[object, ...]]:
    is_suspended = sa.or_(col(AccountRow.disabled_at).is_not(None), col(ClientRow.disabled_at).is_not(None))
    rest = (
        col(AccessTokenRow.session_id),
        col(AccessTokenRow.client_id),
        col(AccessTokenRow.scope),
        col(AccessTokenRow.audience),
        col(AccessTokenRow.issued_at),
        col(AccessTokenRow.expires_at),
        col(AccountRow.id),
    )
    clients = sa.join(AccessTokenRow, ClientRow, col(ClientRow.id) == col(AccessTokenRow.client_id))
    return _found_by(sha256, clients, (*_state_columns(dialect, is_suspended), *rest))


def _state_by(dialect: sa.Dialect, sha256: KeyCondition[bytes]) -> sa.Select[tuple[object, ...]]:
    is_suspended = col(AccountRow.disabled_at).is_not(None)
    return _found_by(sha256, sa.inspect(AccessTokenRow).selectable, _state_columns(dialect, is_suspended))


def _state_columns(
    dialect: sa.Dialect, is_suspended: sa.ColumnElement[bool]
) -> tuple[SQLColumnExpression[object], ...]:
    # A row that should be there and is not gives no evidence that the token is good.
    is_orphan = sa.and_(col(AccessTokenRow.session_id).is_not(None), col(AccountRow.id).is_(None))
    # Where more are stored at the same moment than a session may have, none sees all the others.
    is_superseded = sa.func.coalesce(_is_superseded(col(SessionRow.access_tokens_issued)), sa.false())
    return (
        col(AccessTokenRow.sha256),
        row_version(AccessTokenRow, dialect),
        col(AccountRow.username),
        col(SessionRow.ended_at).is_not(None),
        sa.or_(is_suspended, is_orphan, is_superseded),
    )


def _found_by(
    sha256: KeyCondition[bytes], tokens: sa.FromClause, columns: Sequence[SQLColumnExpression[object]]
) -> sa.Select[tuple[object, ...]]:
    sessions = sa.outerjoin(tokens, SessionRow, col(SessionRow.id) == col(AccessTokenRow.session_id))
    accounts = sa.outerjoin(sessions, AccountRow, col(AccountRow.id) == col(SessionRow.account_id))
    return sa.select().add_columns(*columns).select_from(accounts).where(col(AccessTokenRow.sha256) == sha256)


def read_state(found: Sequence[object]) -> StateRow:
    """Read what can change of a token, in a row of either kind."""
    return cast("StateRow", found[:_OF_STATE])


def read(found: Sequence[object]) -> FoundToken:
    """Read a row of `lookups` or `rows`."""
    _, version, username, has_ended, is_denied = read_state(found)
    session_id, client_id, scope, audience, issued_at, expires_at, account_id = cast(
        "_Rest", found[_OF_STATE:_OF_WHOLE]
    )
    standing = read_standing(has_ended=has_ended, is_denied=is_denied)
    return FoundToken(
        version=version,
        username=username,
        standing=standing,
        session_id=session_id,
        client_id=client_id,
        scope=parse_scope(scope),
        audience=audience,
        issued_at=issued_at,
        expires_at=expires_at,
        account_id=account_id,
    )


def read_standing(*, has_ended: bool, is_denied: bool) -> Standing:
    """Read the end of a `StateRow`."""
    if has_ended:
        return Standing.SESSION_ENDED
    return Standing.DENIED if is_denied else Standing.LIVE


async def remove(tx: Transaction, sha256: bytes) -> None:
    """Delete one token."""
    await tx.execute(sa.delete(AccessTokenRow).where(col(AccessTokenRow.sha256) == sha256))
