"""Postgres: rotations that come while another is being written share one statement, and its commit.

Saves: the commit, the round trip and the statement's way through the driver for all of a batch but one.
Invariant: each is written as if it came alone, from what it saw; of two of one session one is.
What is remembered is written in time or not at all: no question before it has shown that the server answers.
On failure: all of the batch get its error, and each may have been written. Those who wait behind it get
it too, unless another transaction was in the way: that may say nothing of them.
To switch it off: `Database.changes = None`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from authsvc.storage.access_tokens import OpaqueToken
from authsvc.storage.coalescing import Coalescer
from authsvc.storage.database import Database
from authsvc.storage.database_time import THEIR_TIME
from authsvc.storage.dialect import UtcDateTime, is_contention
from authsvc.storage.due_time import DueTime
from authsvc.storage.held_connections import HeldStatement
from authsvc.storage.named_rows import named
from authsvc.storage.session_use import (
    OF_ROTATION,
    SessionUse,
    as_seen,
    rotating,
    stands_as_seen,
    storing_tokens,
)
from authsvc.storage.tables import AccessTokenRow, SessionRow

_BATCH = 64
_OF_TOKEN: dict[str, TypeEngine[Any]] = {
    name: column.type
    for name, column in sa.inspect(AccessTokenRow).columns.items()
    if name not in {"session_id", "number"}  # which the session's row has
}


class _Rotation(NamedTuple):
    use: SessionUse
    token: OpaqueToken | None


class Rotations:
    """Writes rotations in batches, one at a time; all with an opaque token, or all without."""

    def __init__(self, database: Database, *, with_token: bool) -> None:
        self._database = database
        seconds = 0.0 if database.batches is None else database.batches.statement_seconds
        self._due = DueTime(timedelta(seconds=seconds))
        self._statement = HeldStatement(_statement(with_token=with_token), database.engine.dialect)
        self._waiting: Coalescer[_Rotation, int | None] = Coalescer(
            self._write, at_most=_BATCH, is_for_all=self._is_for_all
        )
        self._was_in_the_way = False

    async def write(self, use: SessionUse, token: OpaqueToken | None) -> int | None:
        """Write a rotation, and its access token, if all is as it was seen and nobody has the session's lock.

        Returns:
            the number of the access token; None, and nothing is written, if one of that is not so.

        Raises:
            Unavailable: the database is away; it may have been written.
        """
        return await self._waiting.ask(_Rotation(use, token))

    async def _write(self, batch: Sequence[_Rotation]) -> list[int | None]:
        # The first of each session: which of two rows for one an update takes is not said.
        firsts = {rotation.use.values["used_id"]: rotation for rotation in reversed(batch)}
        told = [use.told(token) for use, token in firsts.values()]
        columns = {name: [values[name] for values in told] for name in told[0]}
        due = self._due()
        columns["due"] = [due if use.is_remembered else None for use, _ in firsts.values()]
        rows = await self._database.change_many(self._statement.text, *self._statement.arguments(columns))
        self._was_in_the_way = False
        if rows:
            self._due.hear(cast("datetime", rows[0][2]))
        numbers: dict[object, object] = {row[0]: row[1] for row in rows}
        return [
            cast("int | None", numbers.get(session_id)) if firsts[session_id] is rotation else None
            for rotation in batch
            for session_id in [rotation.use.values["used_id"]]
        ]

    def _is_for_all(self, error: BaseException) -> bool:
        # The second time in a row it is in everybody's way: batch by batch they would find that out too late.
        was_in_the_way, cause = self._was_in_the_way, error.__cause__
        self._was_in_the_way = isinstance(cause, Exception) and is_contention(cause)
        return was_in_the_way or not self._was_in_the_way


def _statement(*, with_token: bool) -> sa.ClauseElement:
    """Return what writes a batch: of each its session's id, its token's number, and the time there."""
    free = _free({**OF_ROTATION, "due": UtcDateTime(), **(named("token", _OF_TOKEN) if with_token else {})})
    rotated = rotating(dict(free.c))
    if not with_token:
        return rotated.returning(THEIR_TIME)
    of_token = {name: free.c[f"token_{name}"] for name in _OF_TOKEN}
    used = rotated.returning(free.c.now, *of_token.values()).cte("used")
    told = {name: used.c[column.name] for name, column in of_token.items()}
    return storing_tokens(used, used.c.now, **told).add_columns(THEIR_TIME)


def _free(types: Mapping[str, TypeEngine[Any]]) -> sa.CTE:
    """Return those told that are in time and as seen, with their sessions' locks taken in one order for all.

    Who waited for a lock here would keep the rest of the batch waiting.
    """
    columns = [sa.column(name, type_) for name, type_ in types.items()]
    arrays = [sa.bindparam(name, type_=ARRAY(type_)) for name, type_ in types.items()]
    told = sa.func.unnest(*arrays).table_valued(*columns, name="told").render_derived()
    return (
        sa.select(*told.c)
        .join_from(told, SessionRow, sa.and_(as_seen(dict(told.c)), stands_as_seen(dict(told.c))))
        .where(sa.or_(told.c.due.is_(None), told.c.due >= THEIR_TIME))
        .order_by(col(SessionRow.id))
        .with_for_update(of=SessionRow, key_share=True, skip_locked=True)
        .cte("free")
    )
