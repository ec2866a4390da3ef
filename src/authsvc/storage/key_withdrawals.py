"""Asking when a signing key was last withdrawn, which whoever signs has to know: many at once ask once."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlmodel import col

from authsvc.storage.coalescing import Coalescer
from authsvc.storage.database import Database, Transaction
from authsvc.storage.held_connections import HeldStatement
from authsvc.storage.tables import SigningKeyRow

_BATCH = 256
_LATEST = sa.select(sa.func.max(col(SigningKeyRow.revoked_at)))


class KeyWithdrawals:
    """Asks Postgres over a held connection, where there is one; else over that of the caller."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lookups: Coalescer[None, datetime | None] = Coalescer(self._fetch, at_most=_BATCH)
        self._statement = HeldStatement.of(_LATEST, database.engine.dialect)

    async def latest(self, tx: Transaction | None) -> datetime | None:
        """Return when the latest withdrawal of those that are stored was committed before this call.

        Raises:
            Unavailable: the database is away.
        """
        if self._database.reads is not None:
            return await self._lookups.ask(None)
        if tx is not None:
            return (await tx.execute(_LATEST)).scalar_one()
        async with self._database.reading() as own:
            return (await own.execute(_LATEST)).scalar_one()

    async def _fetch(self, batch: Sequence[None]) -> list[datetime | None]:
        [[latest]] = await self._database.ask(self._statement.text)
        return [cast("datetime | None", latest)] * len(batch)
