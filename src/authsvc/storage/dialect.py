"""What differs between Postgres and SQLite, all of it."""

from datetime import UTC, datetime
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import Mapped
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlmodel import SQLModel

V = TypeVar("V")


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware moment in UTC. SQLite keeps no zone, so it is taken off there and given back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive moments; write UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# Connection lost, a replica or a full server, a deadlock or a lost race, an operator's stop; and what an
# operator mends: a login that is refused, a database that is not there, a right that was not granted.
_TEMPORARY_STATES = ("08", "25006", "28", "3D", "40", "42501", "53", "55P03", "57")


def is_temporary(error: DBAPIError) -> bool:
    """Whether Postgres says that the same statement may do later (its SQLSTATE)."""
    if type(error.orig).__name__ == "InvalidCachedStatementError":  # a migration ran; prepared anew it works
        return True
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(state, str) and state.startswith(_TEMPORARY_STATES)


def is_contention(error: Exception) -> bool:
    """Whether the database answered, and another transaction was in the way."""
    driver = getattr(error, "orig", error)
    state = getattr(driver, "sqlstate", None)
    is_lost_race = isinstance(state, str) and state.startswith(("40", "55P03"))
    return is_lost_race or getattr(driver, "sqlite_errorname", None) == "SQLITE_BUSY"


def is_no_database(error: DBAPIError) -> bool:
    """Whether SQLite says that its file is damaged or something else."""
    return getattr(error.orig, "sqlite_errorname", None) in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}


def is_other_schema(error: DBAPIError) -> bool:
    """Whether Postgres has no such table, or no such column (its SQLSTATE)."""
    return getattr(error.orig, "sqlstate", None) in {"42P01", "42703"}


UNPREPARED: dict[str, object] = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    # Without a name a statement lives as long as its transaction, and leaves nothing on the server.
    "prepared_statement_name_func": lambda: "",
}
"""How the driver of Postgres connects where it must not count on prepared statements."""


class _Driver(Protocol):
    def is_closed(self) -> bool: ...


def replace_closed(engine: AsyncEngine) -> None:
    """Let the pool connect anew where Postgres closed a connection meanwhile, as when it was restarted."""

    @sa.event.listens_for(engine.sync_engine, "checkout")
    def refuse_closed(
        _connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        driver: _Driver | None = entry.driver_connection
        if driver is not None and driver.is_closed():
            raise DisconnectionError


_NO_BEGIN = "authsvc_no_begin"


class _Cursor(Protocol):
    def execute(self, statement: str) -> object: ...
    def close(self) -> None: ...


def autocommit(*, is_sqlite: bool) -> dict[str, object]:
    """Return the execution options under which each statement stands alone."""
    # On SQLite a change of the isolation level waits for the driver's thread on the way out of the pool,
    # and a request given up there would lose the connection; not to begin is all that is needed.
    return {_NO_BEGIN: True} if is_sqlite else {"isolation_level": "AUTOCOMMIT"}


def prepare_sqlite(engine: AsyncEngine) -> None:
    """Set SQLite's pragmas, and let the service say itself when a transaction begins."""
    # Not at the top: whoever is on Postgres would keep the library.
    import sqlite3  # noqa: PLC0415 - for the embedded database only

    @sa.event.listens_for(engine.sync_engine, "do_connect")
    def open_here_first(
        _dialect: Dialect, _entry: ConnectionPoolEntry, arguments: list[str], _options: dict[str, object]
    ) -> None:
        # What cannot be opened fails here: the driver's thread would outlive the loop, and print a traceback.
        sqlite3.connect(arguments[0]).close()

    @sa.event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor: _Cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=1500",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        # Left to itself the driver begins late, as a reader; a second writer then fails at once.
        connection.isolation_level = None

    @sa.event.listens_for(engine.sync_engine, "invalidate")
    def roll_back(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _error: object) -> None:
        # A request given up in mid-statement: closing alone would leave the write lock to the statement,
        # and the statement to the garbage collector.
        connection.rollback()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get(_NO_BEGIN):
            return
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def by_index_only(connection: AsyncConnection) -> None:
    """Let no statement of this transaction read a whole table where an index leads to the rows.

    A planner that has seen most sessions belong to one account takes them to belong to any.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.text("SET LOCAL enable_seqscan = off"))


def is_one_of(key: Mapped[V], found: sa.Select[V], dialect: Dialect) -> sa.ColumnElement[bool]:
    """Return whether *key* is one of what is *found*, which is looked for once.

    Where it takes a table for nearly empty, Postgres would look for `IN (SELECT …)` again at each row of it.
    """
    if dialect.name == "sqlite":
        return key.in_(found.scalar_subquery())
    [column] = found.selected_columns
    return key == sa.any_(sa.func.array(found.scalar_subquery(), type_=postgresql.ARRAY(column.type)))


def row_version(table: type[SQLModel], dialect: Dialect) -> sa.ColumnElement[int | None]:
    """Return by which transaction a row of *table* was written, so a number that changes with it.

    SQLite has none: null.
    """
    if dialect.name == "sqlite":
        return sa.literal_column("NULL", sa.BigInteger())
    return sa.literal_column(f"{table.__tablename__}.xmin", sa.BigInteger())


def insert(connection: AsyncConnection, table: type) -> postgresql.Insert | sqlite.Insert:
    """Return the dialect's INSERT, which knows ON CONFLICT."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return make(table)
