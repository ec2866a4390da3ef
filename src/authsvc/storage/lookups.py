"""Looking rows up by one key: those asked about at the same time share one statement.

Saves: a statement for all but one of those that wait; over a held connection, most of what one costs.
Invariant: an answer is never older than its question, as `coalescing.py` says.
On failure: all who wait for the statement get its error.
To switch it off: `Database.reads = None`; then each asks by itself.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from authsvc.storage.coalescing import Coalescer, Receiver
from authsvc.storage.database import Database, Row
from authsvc.storage.held_connections import HeldStatement

_BATCH = 256

K = TypeVar("K")

KeyCondition = sa.ColumnElement[K] | sa.CollectionAggregate[bool]
"""What a key is compared with: one value, or any of several."""


class Lookups(Generic[K]):
    """Asks Postgres over a held connection, where there is one; else each by itself."""

    def __init__(
        self,
        database: Database,
        found_by: Callable[[KeyCondition[K]], sa.Select[tuple[object, ...]]],
        key_type: TypeEngine[K],
    ) -> None:
        """*found_by* makes the statement that finds rows by their keys, which come first in a row."""
        self._database = database
        self._lookups: Coalescer[K, Row | None] = Coalescer(self._fetch, at_most=_BATCH)
        # Built once: building a statement anew takes as long as running it.
        self._of_one = found_by(sa.bindparam("key", type_=key_type))
        wanted = sa.bindparam("keys", type_=ARRAY(key_type))
        self._of_many = HeldStatement(found_by(sa.any_(wanted)), database.engine.dialect)

    def find(self, key: K) -> Awaitable[Row | None]:
        """Return the row to come that has this key, as it is now.

        Awaiting it raises:
            Unavailable: the database is away.
        """
        return self._lookups.ask(key) if self.are_shared else self._alone(key)

    def find_for(self, receiver: Receiver[Row | None], key: K) -> None:
        """Find the same for *receiver*, which is told in the very moment that the answer comes.

        Only where questions are shared.
        """
        self._lookups.ask_for(receiver, key)

    @property
    def are_shared(self) -> bool:
        """Whether those who ask at the same time share one statement."""
        return self._database.reads is not None

    async def _alone(self, key: K) -> Row | None:
        async with self._database.reading() as tx:
            row = (await tx.execute(self._of_one, {"key": key})).one_or_none()
        return None if row is None else tuple(row)

    async def _fetch(self, batch: Sequence[K]) -> list[Row | None]:
        wanted = self._of_many.arguments({"keys": list(dict.fromkeys(batch))})
        rows = await self._database.ask(self._of_many.text, *wanted)
        found = {row[0]: tuple(row) for row in rows}
        return [found.get(key) for key in batch]
