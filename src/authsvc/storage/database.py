"""Postgres: connections and transactions. Driver errors leave here as `Unavailable`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from authsvc.errors import Unavailable
from authsvc.storage import waiting
from authsvc.storage.database_address import read_address
from authsvc.storage.database_errors import driver_errors, raise_ours
from authsvc.storage.dialect import (
    UNPREPARED,
    autocommit,
    prepare_sqlite,
    replace_closed,
)
from authsvc.storage.held_connections import HeldConnections
from authsvc.storage.outage import OutageWatch

Row = tuple[object, ...]
"""The columns of one row."""

Rows = Sequence[Sequence[object]]
"""What a statement over a held connection returns."""

_READING = 2  # each kind of look-up has one statement under way at most, for a fraction of a millisecond
_CHANGING = 4
_CHANGING_MANY = 1  # one batch is under way at a time
_LOGGING_IN = 2
_HELD = (_READING, _CHANGING, _CHANGING_MANY, _LOGGING_IN)
HELD_CONNECTIONS = sum(_HELD)
"""How many connections there may be beside the pool, where statements are prepared."""

Transaction = AsyncConnection
"""An open transaction; what a store's function is given."""


class Database:
    """The pool of one process."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        timeout_seconds: float,
        statement_seconds: float | None,
        outages: OutageWatch,
        prepares: bool = True,
    ) -> None:
        """*prepares*: whether statements are prepared, which a pooler of transactions cannot take."""
        self.outages = outages
        self._timeout_seconds = timeout_seconds
        is_sqlite = url.startswith("sqlite")
        connect_args = {} if is_sqlite else _of_driver(timeout_seconds, statement_seconds, prepares=prepares)
        self.engine: AsyncEngine = create_async_engine(
            read_address(url),
            poolclass=AsyncAdaptedQueuePool,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeout_seconds,
            connect_args=connect_args,
            # An error's text may reach a log; the parameters hold hashes and names.
            hide_parameters=True,
        )
        # Behind a pooler the messages of one statement stay together only within a transaction.
        self._reading = (
            self.engine.execution_options(**autocommit(is_sqlite=is_sqlite)) if prepares else self.engine
        )
        if is_sqlite:
            prepare_sqlite(self.engine)
        else:
            replace_closed(self.engine)
            waiting.keep_short(self.engine)
        holds = prepares and not is_sqlite
        # Apart, because a change may have to wait for the lock of a session, a login for an account's, and
        # those that come together wait for neither.
        self.reads, self.changes, self.batches, self.logins = (
            self._held(at_most) if holds else None for at_most in _HELD
        )

    def _held(self, at_most: int) -> HeldConnections:
        _, arguments = self.engine.dialect.create_connect_args(self.engine.url)
        return HeldConnections(arguments, timeout_seconds=self._timeout_seconds, at_most=at_most)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit at the end of the block, roll back when it raises.

        Raises:
            Unavailable: the database is away, too slow, or all connections are in use.
        """
        with driver_errors(self.outages):
            async with self._connected(self.engine) as connection, connection.begin():
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Run single statements, each seeing what was committed before it began.

        Raises:
            Unavailable: as `transaction`.
        """
        with driver_errors(self.outages):
            async with self._connected(self._reading) as connection:
                yield connection

    def ask(self, statement: str, *values: object) -> Awaitable[Rows]:
        """Return the rows to come of one statement that reads, over a connection that is held.

        Awaiting it raises:
            Unavailable: as `reading`.
        """
        return self._over(self.reads, statement, values)

    def change(self, statement: str, *values: object) -> Awaitable[Rows]:
        """Return the rows to come of one statement that changes something, and is committed by then.

        It must be so that doing it twice changes nothing more: the answer to the first may have been lost.

        Awaiting it raises:
            Unavailable: as `transaction`; it may have been done.
        """
        return self._over(self.changes, statement, values)

    def change_many(self, statement: str, *values: object) -> Awaitable[Rows]:
        """Do the same for what is changed for many at a time, and waits for no row. Raises as `change`."""
        return self._over(self.batches, statement, values)

    def log_in(self, statement: str, *values: object) -> Awaitable[Rows]:
        """Do the same for what a login writes. Raises as `change`."""
        return self._over(self.logins, statement, values)

    async def _over(self, held: HeldConnections | None, statement: str, values: Sequence[object]) -> Rows:
        if held is None:
            raise RuntimeError("no connection is held here")
        outages = self.outages
        began = outages.clock()
        try:
            rows = await held.fetch(statement, *values)
        except Exception as error:
            raise_ours(error, outages, began)
            raise
        outages.succeeded(began)
        return rows

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        patience = waiting.LITTLE_SECONDS + (0 if waiting.has_waited_lately() else self._timeout_seconds)
        async with AsyncExitStack() as opened:
            async with asyncio.timeout(patience):
                connection = await opened.enter_async_context(engine.connect())
            yield connection

    async def ping(self) -> bool:
        """Whether the database answers."""
        try:
            async with self.reading() as connection:
                await connection.execute(sa.text("SELECT 1"))
        except Unavailable as error:
            # A full pool is a busy database, not an absent one.
            return isinstance(error.__cause__, PoolTimeoutError)
        return True

    async def close(self) -> None:
        """Close all connections."""
        for held in (self.reads, self.changes, self.batches, self.logins):
            if held is not None:
                held.close()
        await self.engine.dispose()


def _of_driver(
    timeout_seconds: float, statement_seconds: float | None, *, prepares: bool
) -> dict[str, object]:
    times: dict[str, object] = {"timeout": timeout_seconds, "command_timeout": statement_seconds}
    return times if prepares else times | UNPREPARED
