"""Asking when a signing key was last withdrawn, which whoever signs has to know: many at once ask once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlmodel import col

from authsvc.storage.coalescing import Coalescer
from authsvc.storage.database import Database, Transaction
from authsvc.storage.held_connections import HeldStatement
from authsvc.storage.tables import SigningKeyRow

_BATCH = 256

LATEST = sa.select(sa.func.max(col(SigningKeyRow.revoked_at)))
"""Asks for it; also as a column of what is looked up anyway before a token is signed."""


@dataclass(frozen=True)
class LatestWithdrawal:
    """When a key was last withdrawn, as was read after the request had come; None if none ever was."""

    at: datetime | None

    def is_before(self, other: "LatestWithdrawal") -> bool:
        """Whether a key was withdrawn since, as *other* says."""
        return other.at is not None and (self.at is None or self.at < other.at)


async def latest(tx: Transaction) -> LatestWithdrawal:
    """Return the latest of those that were committed before this statement of *tx*."""
    return LatestWithdrawal((await tx.execute(LATEST)).scalar_one())


class KeyWithdrawals:
    """Asks Postgres over a held connection, where there is one; else over that of the caller."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lookups: Coalescer[None, LatestWithdrawal] = Coalescer(self._fetch, at_most=_BATCH)
        self._statement = HeldStatement(LATEST, database.engine.dialect)

    async def latest(self, tx: Transaction) -> LatestWithdrawal:
        """Return the latest of those that were committed before this call.

        Raises:
            Unavailable: the database is away.
        """
        if self._database.reads is not None:
            return await self._lookups.ask(None)
        return await latest(tx)

    async def _fetch(self, batch: Sequence[None]) -> list[LatestWithdrawal]:
        [[at]] = await self._database.ask(self._statement.text)
        return [LatestWithdrawal(cast("datetime | None", at))] * len(batch)
