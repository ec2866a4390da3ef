"""Postgres: the table `access_token`, for opaque tokens; only their SHA-256 is stored."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import SQLColumnExpression
from sqlmodel import col

from authsvc.scopes import Scope, format_scope, parse_scope
from authsvc.storage.database import Database, Row, Transaction
from authsvc.storage.dialect import UtcDateTime, is_one_of
from authsvc.storage.lookups import KeyCondition, Lookups
from authsvc.storage.tables import AccessTokenRow, AccountRow, ClientRow, SessionRow

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
class TokenSurroundings:
    """What the token's session, account and client say now."""

    account_id: UUID | None
    username: str | None
    session_ended: bool
    is_suspended: bool
    is_superseded: bool


_COLUMNS = tuple(getattr(AccessTokenRow, name) for name in OpaqueToken.__dataclass_fields__)


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


TokenRow = tuple[
    bytes,
    UUID | None,
    str,
    int,
    str,
    str,
    datetime,
    datetime,
    UUID | None,
    str | None,
    datetime | None,
    bool,
    bool,
]
"""The fields of an `OpaqueToken` as stored, then what `TokenSurroundings` is made of."""


def found_by(sha256: KeyCondition[bytes]) -> sa.Select[tuple[object, ...]]:
    """Return the statement that `lookups` asks."""
    return (
        sa.select(
            *_COLUMNS,
            col(AccountRow.id),
            col(AccountRow.username),
            col(SessionRow.ended_at),
            sa.or_(col(AccountRow.disabled_at).is_not(None), col(ClientRow.disabled_at).is_not(None)),
            # Where more are stored at the same moment than a session may have, none sees all the others.
            sa.func.coalesce(_is_superseded(col(SessionRow.access_tokens_issued)), sa.false()),
        )
        .join(ClientRow, col(ClientRow.id) == col(AccessTokenRow.client_id))
        .outerjoin(SessionRow, col(SessionRow.id) == col(AccessTokenRow.session_id))
        .outerjoin(AccountRow, col(AccountRow.id) == col(SessionRow.account_id))
        .where(col(AccessTokenRow.sha256) == sha256)
    )


def lookups(database: Database) -> Lookups[bytes]:
    """Return what finds tokens, dead or alive, by their SHA-256; `read` reads its rows."""
    return Lookups(database, found_by, sa.LargeBinary())


def read(found: Row) -> tuple[OpaqueToken, TokenSurroundings]:
    """Return the token and what stands around it."""
    row = cast("TokenRow", found)
    sha256, session_id, client_id, number, scope, audience, issued_at, expires_at = row[:8]
    account_id, username, ended_at, is_suspended, is_superseded = row[8:]
    return OpaqueToken(
        sha256, session_id, client_id, number, parse_scope(scope), audience, issued_at, expires_at
    ), TokenSurroundings(
        account_id=account_id,
        username=username,
        session_ended=ended_at is not None,
        is_suspended=bool(is_suspended),
        is_superseded=bool(is_superseded),
    )


async def remove(tx: Transaction, sha256: bytes) -> None:
    """Delete one token."""
    await tx.execute(sa.delete(AccessTokenRow).where(col(AccessTokenRow.sha256) == sha256))
