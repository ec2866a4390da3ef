"""Postgres: what a refresh writes into the row of its session, if that is still as it was seen.

One statement, which takes the row's lock and looks again: of two that saw the same generation one finds none.
An opaque access token is stored by the same statement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col

from authsvc.storage import access_tokens
from authsvc.storage.access_tokens import OpaqueToken
from authsvc.storage.database import Database
from authsvc.storage.dialect import UtcDateTime
from authsvc.storage.held_connections import HeldStatement
from authsvc.storage.named_rows import insertion, named
from authsvc.storage.sessions import Session
from authsvc.storage.tables import AccessTokenRow, SessionRow

Use = ReturningUpdate[UUID, int]
"""Returns the session's id, and the number of the access token that goes with this use."""

_NOW = sa.bindparam("now", type_=UtcDateTime)


def _use(*demands: sa.ColumnElement[bool], **change: object) -> Use:
    issued, until = col(SessionRow.access_tokens_issued), col(SessionRow.access_until)
    named = sa.bindparam("until", type_=UtcDateTime)
    return (
        sa.update(SessionRow)
        .where(
            col(SessionRow.id) == sa.bindparam("used_id"),
            col(SessionRow.generation) == sa.bindparam("seen_generation"),
            col(SessionRow.ended_at).is_(None),
            *demands,
        )
        .values(
            last_used_at=_NOW,
            access_until=sa.case((until < named, named), else_=until),
            access_tokens_issued=issued + 1,
            **change,
        )
        .returning(col(SessionRow.id), issued)
    )


_ROTATE = _use(
    generation=sa.bindparam("new_generation"),
    server_key_id=sa.bindparam("new_server_key_id"),
    rotated_at=_NOW,
    repeats=0,
)
# Of many at the same moment each has read a count that is still low enough.
_REPEAT = _use(
    col(SessionRow.repeats) < sa.bindparam("at_most"),
    repeats=col(SessionRow.repeats) + 1,
)


def _with_token(use: Use) -> sa.Select[UUID, int]:
    """Return the statement that does *use* and stores the opaque token that goes with it."""
    used = use.cte("used")
    used_id = sa.select(used.c.id).scalar_subquery()
    number = sa.select(used.c.access_tokens_issued).scalar_subquery()
    added = insertion(AccessTokenRow, "token", used, session_id=used.c.id, number=used.c.access_tokens_issued)
    return sa.select(used.c.id, used.c.access_tokens_issued).add_cte(
        access_tokens.old(used_id, number, _NOW).cte("removed"),
        added.cte("added"),
    )


@dataclass(frozen=True)
class SessionUse:
    """One use of a session, to be written."""

    statement: Use
    values: Mapping[str, object]


def rotation(seen: Session, moved: Session) -> SessionUse:
    """Return what moves the ratchet from the generation of *seen* to that of *moved*."""
    change = {"new_generation": moved.generation, "new_server_key_id": moved.server_key_id}
    return SessionUse(_ROTATE, _values(seen, moved) | change)


def repetition(seen: Session, moved: Session, *, at_most: int) -> SessionUse:
    """Return what counts one more answer with the same successor, up to *at_most*."""
    return SessionUse(_REPEAT, _values(seen, moved) | {"at_most": at_most})


def _values(seen: Session, moved: Session) -> dict[str, object]:
    return {
        "used_id": seen.id,
        "seen_generation": seen.generation,
        "now": moved.last_used_at,
        "until": moved.access_until,
    }


class SessionUses:
    """Writes uses: over a held connection, where there is one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = database.engine.dialect
        held = () if database.changes is None else (_ROTATE, _REPEAT)
        self._alone = {use: HeldStatement.of(use, dialect) for use in held}
        self._with_token = {use: HeldStatement.of(_with_token(use), dialect) for use in held}

    async def write(self, use: SessionUse, token: OpaqueToken | None = None) -> int | None:
        """Write *use*, with the access token that goes with it if that has to be stored, and commit.

        Returns:
            the number of that token; None, and nothing is written, if the row has moved or ended.

        Raises:
            Unavailable: the database is away; it may have been written.
        """
        if self._database.changes is None:
            return await self._in_transaction(use, token)
        if token is None:
            rows = await self._send(self._alone[use.statement], use.values)
        else:
            told = {**use.values, **named("token", access_tokens.values(token))}
            rows = await self._send(self._with_token[use.statement], told)
        return cast("int", rows[0][1]) if rows else None

    async def _send(
        self, statement: HeldStatement, values: Mapping[str, object]
    ) -> Sequence[Sequence[object]]:
        return await self._database.change(statement.text, *statement.arguments(values))

    async def _in_transaction(self, use: SessionUse, token: OpaqueToken | None) -> int | None:
        async with self._database.transaction() as tx:
            used = (await tx.execute(use.statement, use.values)).one_or_none()
            if used is None:
                return None
            if token is not None:
                await access_tokens.insert(tx, replace(token, number=used[1]))
        return used[1]
