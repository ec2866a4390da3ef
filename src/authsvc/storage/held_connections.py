"""Connections to Postgres that are held, for single statements that come with every request.

Saves: taking a connection from the pool, the statement's way through SQLAlchemy, the reset on the way
back, and planning: 9 of 10 parts of a small question.
Invariant: they are in autocommit, so each statement sees what was committed before it began, and what it
changes is committed when it returns; one statement at a time on each.
On failure: closed, and opened anew by the next statement; one that had been closed while it was idle is
opened anew for the same statement, which may so be done twice.
To switch it off: `Database.reads = None`, as it is on SQLite and behind a pooler of transactions.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import cached_property

import asyncpg
import sqlalchemy as sa
from asyncpg import Record
from asyncpg.exceptions import ConnectionDoesNotExistError, InterfaceError, InternalClientError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.sql.compiler import SQLCompiler

# Every statement here finds its rows by their keys. Planned anew for each batch of keys, as an array makes
# it, one takes Postgres longer than answering it; and a plan that is kept must not be one for a small table.
_PLANNING = "; ".join(
    f"SET {name}"
    for name in (
        "plan_cache_mode = force_generic_plan",
        "jit = off",  # what is switched off below counts as so dear that compiling it would seem to pay
        "enable_seqscan = off",
        "enable_bitmapscan = off",
        "enable_hashjoin = off",
        "enable_mergejoin = off",
    )
)

# Of a table of one page Postgres takes any index for as good as the right one, and no statistics tell it soon
# that the table has grown.
_PLANS_SECONDS = 10.0

# What SQLAlchemy adds for itself.
_NOT_THE_DRIVERS = ("prepared_statement_cache_size", "prepared_statement_name_func")


class HeldStatement:
    """A statement as the driver takes it: its text, and which value comes in which place.

    It is compiled when it is first sent: most processes never send some of those that they could.
    """

    def __init__(self, statement: sa.ClauseElement, dialect: sa.Dialect) -> None:
        self._statement = statement
        self._dialect = dialect

    @cached_property
    def text(self) -> str:
        """What the driver is given."""
        return str(self._compiled)

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """Return *values* in their places, among those that the statement brought with it."""
        return [values.get(name, own) for name, own in self._places]

    @cached_property
    def _places(self) -> Sequence[tuple[str, object]]:
        own = self._compiled.params
        return [(name, own[name]) for name in self._compiled.positiontup or ()]

    @cached_property
    def _compiled(self) -> SQLCompiler:
        compiled = self._statement.compile(dialect=self._dialect)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"no statement with values: {compiled}")
        return compiled


class HeldConnections:
    """So many at most, each opened when it is needed. They raise what the driver raises, as the pool does."""

    def __init__(
        self,
        arguments: Mapping[str, object],
        *,
        timeout_seconds: float,
        at_most: int,
        plans_seconds: float = _PLANS_SECONDS,
    ) -> None:
        """*arguments* are those of the driver's `connect`; plans are kept for *plans_seconds*."""
        self._timeout = timeout_seconds
        # Given up there first: what is given up here alone goes on there, and would be done after all.
        self.statement_seconds = 3 / 4 * timeout_seconds
        at_opening = _PLANNING + "".join(
            f"; SET {name} = {max(1, round(1000 * seconds))}"
            for name, seconds in (
                ("lock_timeout", 1 / 2 * timeout_seconds),
                ("statement_timeout", self.statement_seconds),
            )
        )
        # The last to come back is the first to be used: one is enough for as long as nobody waits.
        self._free = [
            _HeldConnection(arguments, timeout_seconds, at_opening, plans_seconds) for _ in range(at_most)
        ]
        self._all = tuple(self._free)
        self._turns = asyncio.Semaphore(at_most)

    async def fetch(self, statement: str, *values: object) -> Sequence[Record]:
        """Return the rows of *statement*, in which `$1` stands for the first of *values*."""
        await (self._turn() if self._turns.locked() else self._turns.acquire())
        connection = self._free.pop()
        try:
            return await connection.fetch(statement, values)
        finally:
            self._free.append(connection)
            self._turns.release()

    async def _turn(self) -> bool:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._turns.acquire()
        except TimeoutError:
            raise PoolTimeoutError("all held connections are in use") from None

    def close(self) -> None:
        """Close them; a statement opens one again."""
        for connection in self._all:
            connection.close()


class _HeldConnection:
    """Does one thing at a time."""

    def __init__(
        self,
        arguments: Mapping[str, object],
        timeout_seconds: float,
        at_opening: str,
        plans_seconds: float,
    ) -> None:
        self._at_opening = at_opening
        self._plans_seconds = plans_seconds
        self._plans_until = 0.0
        self._arguments = {name: value for name, value in arguments.items() if name not in _NOT_THE_DRIVERS}
        self._timeout = timeout_seconds
        self._connection: asyncpg.Connection | None = None

    async def fetch(self, statement: str, values: Sequence[object]) -> Sequence[Record]:
        was_idle = self._connection is not None and not self._connection.is_closed()
        while True:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._opened()
                self._keep_plans()
            try:
                if time.monotonic() > self._plans_until:
                    self._keep_plans()
                    await self._connection.execute("DISCARD PLANS")
                rows: Sequence[Record] = await self._connection.fetch(statement, *values)
            # The last two are what the driver says of its own state, not of what the server said.
            except (ConnectionDoesNotExistError, InterfaceError, InternalClientError) as error:
                self.close()
                if not was_idle:
                    raise ConnectionDoesNotExistError(str(error)) from error
                was_idle = False
            except BaseException:
                self.close()
                raise
            else:
                return rows

    def _keep_plans(self) -> None:
        self._plans_until = time.monotonic() + self._plans_seconds

    async def _opened(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(
            **self._arguments, timeout=self._timeout, command_timeout=self._timeout
        )
        try:
            await connection.execute(self._at_opening)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None
