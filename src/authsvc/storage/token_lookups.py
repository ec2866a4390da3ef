"""Looking opaque access tokens up: those asked about at the same time share one statement."""

from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from authsvc.storage import access_tokens
from authsvc.storage.access_tokens import TokenRow
from authsvc.storage.coalescing import Coalescer
from authsvc.storage.database import Database
from authsvc.storage.held_connections import HeldStatement

_BATCH = 256


class TokenLookups:
    """Asks Postgres over a held connection, where there is one; else each by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lookups: Coalescer[bytes, TokenRow | None] = Coalescer(self._fetch, at_most=_BATCH)
        wanted = sa.bindparam("sha256s", type_=ARRAY(sa.LargeBinary))
        self._statement = HeldStatement.of(access_tokens.found_by(sa.any_(wanted)), database.engine.dialect)

    async def find(self, sha256: bytes) -> TokenRow | None:
        """Return the token's row and what stands around it now, dead or alive.

        Raises:
            Unavailable: the database is away.
        """
        if self._database.reads is not None:
            return await self._lookups.ask(sha256)
        async with self._database.reading() as tx:
            return await access_tokens.find(tx, sha256)

    async def _fetch(self, batch: Sequence[bytes]) -> list[TokenRow | None]:
        rows = await self._database.ask(self._statement.text, list(dict.fromkeys(batch)))
        found = {row[0]: cast("TokenRow", tuple(row)) for row in rows}
        return [found.get(sha256) for sha256 in batch]
