"""Postgres: what a refresh writes into the row of its session, if that is still as it was seen.

One statement, which takes the row's lock and looks again: of two that saw the same generation one finds none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col

from authsvc.storage.database import Database, Transaction
from authsvc.storage.dialect import UtcDateTime
from authsvc.storage.held_connections import HeldStatement
from authsvc.storage.sessions import Session
from authsvc.storage.tables import SessionRow

_NOW = sa.bindparam("now", type_=UtcDateTime)


def _use(*demands: sa.ColumnElement[bool], **change: object) -> ReturningUpdate[int]:
    issued, until = col(SessionRow.access_tokens_issued), col(SessionRow.access_until)
    named = sa.bindparam("until", type_=UtcDateTime)
    return (
        sa.update(SessionRow)
        .where(
            col(SessionRow.id) == sa.bindparam("session_id"),
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
        .returning(issued)
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


@dataclass(frozen=True)
class SessionUse:
    """One use of a session, to be written."""

    statement: ReturningUpdate[int]
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
        "session_id": seen.id,
        "seen_generation": seen.generation,
        "now": moved.last_used_at,
        "until": moved.access_until,
    }


async def write(tx: Transaction, use: SessionUse) -> int | None:
    """Write *use*.

    Returns:
        the number of the access token that goes with it; None if the row has moved or ended.
    """
    return (await tx.execute(use.statement, use.values)).scalar_one_or_none()


class LoneUses:
    """Writes uses with which nothing else is stored: over a held connection, where there is one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = database.engine.dialect
        self._statements = {use: HeldStatement.of(use, dialect) for use in (_ROTATE, _REPEAT)}

    async def write(self, use: SessionUse) -> int | None:
        """Write *use* and commit it; returns as `write`.

        Raises:
            Unavailable: the database is away; it may have been written.
        """
        if self._database.changes is None:
            async with self._database.transaction() as tx:
                return await write(tx, use)
        statement = self._statements[use.statement]
        rows = await self._database.change(statement.text, *statement.arguments(use.values))
        return cast("int", rows[0][0]) if rows else None
