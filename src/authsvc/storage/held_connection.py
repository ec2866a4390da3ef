"""One connection to Postgres that is held, for the questions that come with every request.

Saves: taking a connection from the pool, the statement's way through SQLAlchemy, and the reset on the way
back: 9 of 10 parts of a small question.
Invariant: it is in autocommit, so each statement sees what was committed before it began; one statement at a
time.
On failure: closed, and opened anew by the next question; one that had been closed while it was idle is opened
anew for the same question.
To switch it off: `Database.held = None`, as it is on SQLite and behind a pooler of transactions.
"""

from collections.abc import Mapping, Sequence

import asyncpg
from asyncpg import Record
from asyncpg.exceptions import ConnectionDoesNotExistError, InterfaceError, InternalClientError

# What SQLAlchemy adds for itself.
_NOT_THE_DRIVERS = ("prepared_statement_cache_size", "prepared_statement_name_func")


class HeldConnection:
    """Asks one thing at a time. It raises what the driver raises; `Database.ask` makes that ours."""

    def __init__(self, arguments: Mapping[str, object], *, timeout_seconds: float) -> None:
        """*arguments* are those of the driver's `connect`."""
        self._arguments = {name: value for name, value in arguments.items() if name not in _NOT_THE_DRIVERS}
        self._timeout = timeout_seconds
        self._connection: asyncpg.Connection | None = None

    async def fetch(self, statement: str, *values: object) -> Sequence[Record]:
        """Return the rows of a statement that reads."""
        was_idle = self._connection is not None and not self._connection.is_closed()
        try:
            return await self._fetch(statement, values)
        except ConnectionDoesNotExistError:
            if not was_idle:
                raise
            return await self._fetch(statement, values)

    async def _fetch(self, statement: str, values: Sequence[object]) -> Sequence[Record]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                **self._arguments, timeout=self._timeout, command_timeout=self._timeout
            )
        try:
            rows: Sequence[Record] = await self._connection.fetch(statement, *values)
        # What the driver says of its own state, not of what the server said.
        except (InterfaceError, InternalClientError) as error:
            self._drop()
            raise ConnectionDoesNotExistError(str(error)) from error
        except BaseException:
            self._drop()
            raise
        return rows

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None

    async def close(self) -> None:
        """Close it; a question opens it again."""
        self._drop()
