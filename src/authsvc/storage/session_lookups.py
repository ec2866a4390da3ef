"""Looking sessions up by their ids: those asked about at the same time share one statement."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from authsvc.storage import sessions
from authsvc.storage.coalescing import Coalescer
from authsvc.storage.database import Database, Row
from authsvc.storage.held_connections import HeldStatement
from authsvc.storage.sessions import SessionAndOwner

_BATCH = 256


class SessionLookups:
    """Asks Postgres over a held connection, where there is one; else each by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lookups: Coalescer[UUID, Row | None] = Coalescer(self._fetch, at_most=_BATCH)
        wanted = sa.bindparam("session_ids", type_=ARRAY(sa.Uuid()))
        self._statement = HeldStatement.of(sessions.found_by(sa.any_(wanted)), database.engine.dialect)

    async def find(self, session_id: UUID) -> SessionAndOwner | None:
        """Return the session, ended or not, with what its account says now.

        Raises:
            Unavailable: the database is away.
        """
        if self._database.reads is None:
            async with self._database.reading() as tx:
                return await sessions.find(tx, session_id)
        row = await self._lookups.ask(session_id)
        return None if row is None else sessions.read(row)

    async def _fetch(self, batch: Sequence[UUID]) -> list[Row | None]:
        rows = await self._database.ask(self._statement.text, list(dict.fromkeys(batch)))
        found = {row[0]: row for row in rows}
        return [found.get(session_id) for session_id in batch]
