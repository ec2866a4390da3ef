"""What the drivers raise, and what stands for it outside: `Unavailable`, or a word to the operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from authsvc.errors import OperatorError, Unavailable
from authsvc.metrics import STORE_ERRORS
from authsvc.storage import waiting
from authsvc.storage.dialect import is_contention, is_no_database, is_other_schema, is_temporary
from authsvc.storage.outage import OutageWatch

_AWAY = "The database cannot be reached now."
_FULL = "All database connections are in use."


@contextmanager
def driver_errors(outages: OutageWatch) -> Iterator[None]:
    """Translate what the block raises, and note how the use of the database ended."""
    began = outages.clock()
    try:
        yield
    except Exception as error:
        raise_ours(error, outages, began)
        raise
    else:
        outages.succeeded(began)


def raise_ours(error: Exception, outages: OutageWatch, began: datetime) -> None:
    """Raise what stands for *error*, if anything does."""
    ours = _ours(error, outages, began)
    if ours is None:
        return
    try:
        raise ours from error
    finally:
        del ours  # or it would hold this frame, which holds it, until the collector comes


def _ours(error: Exception, outages: OutageWatch, began: datetime) -> Unavailable | OperatorError | None:
    """Note what *error* says of the database, and return what to raise in its place, if anything."""
    if isinstance(error, PoolTimeoutError):
        STORE_ERRORS.labels("database pool").inc()
        waiting.waited_in_vain()
        return Unavailable(_FULL)
    # What the driver raises while it connects comes as it is, all else wrapped.
    if isinstance(error, OSError | TimeoutError | OperationalError | InterfaceError | PostgresError):
        return _away(outages, began, error)
    if not isinstance(error, DBAPIError):
        return None
    if is_no_database(error):
        return OperatorError(
            "The SQLite file is damaged, or no database at all: restore it, or name another "
            "(for `authsvc dev`: another AUTHSVC_DATA_DIR, or delete the file)."
        )
    if is_other_schema(error):
        return OperatorError(
            f"The tables are not those of this version ({str(error.orig).splitlines()[0]}). "
            "Restore them from a backup, or name another database in AUTHSVC_DATABASE_URL."
        )
    # Without a statement it comes from connecting, or from the end of a transaction.
    if error.connection_invalidated or error.statement is None or is_temporary(error):
        return _away(outages, began, error)
    return None


def _away(outages: OutageWatch, began: datetime, error: Exception) -> Unavailable:
    STORE_ERRORS.labels("database").inc()
    # Two requests in each other's way say nothing of the database.
    if not is_contention(error):
        outages.failed(began)
        waiting.waited_in_vain()
    return Unavailable(_AWAY)
