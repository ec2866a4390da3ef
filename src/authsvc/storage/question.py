"""A statement that is built once and asked often: over a held connection, where there is one.

Saves: building it anew, which takes longer than running it, and its way through SQLAlchemy.
Invariant: each answer is of what was committed before the question.
On failure: as `Database.ask`.
To switch it off: `Database.reads = None`.
"""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy.sql.selectable import ExecutableReturnsRows

from authsvc.storage.database import Database, Row
from authsvc.storage.held_connections import HeldStatement

V = TypeVar("V")
Value: TypeAlias = V | sa.BindParameter[V]
"""What a statement is built with: a value, or the name of one that comes with each question."""


class Question:
    """One statement that reads."""

    def __init__(self, database: Database, statement: ExecutableReturnsRows) -> None:
        """*statement* names its values by `bindparam`."""
        self._database = database
        self._statement = statement
        self._held = None if database.reads is None else HeldStatement(statement, database.engine.dialect)

    async def rows(self, **values: object) -> Sequence[Row]:
        """Return the rows that there are for *values*.

        Raises:
            Unavailable: the database is away.
        """
        if self._held is not None and self._database.reads is not None:
            found = await self._database.ask(self._held.text, *self._held.arguments(values))
            return [tuple(row) for row in found]
        async with self._database.reading() as tx:
            return [tuple(row) for row in await tx.execute(self._statement, values)]
