"""How long one request waits for a database that is away.

It may ask several times, one after the other, and wait for a free connection first; each wait has its
time-out, and their sum would pass the two seconds within which it is to be answered. So whoever has just
found the database away waits only briefly to find it so again.
"""

import asyncio
from contextvars import ContextVar
from functools import partial

import sqlalchemy as sa
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

LITTLE_SECONDS = 0.2
"""To connect, where the whole time-out went by already."""
_LATELY_SECONDS = 2.0
_MADE_AT = "authsvc made at"

# Of one task, which is that of one request or job.
_waited: ContextVar[float] = ContextVar("waited", default=float("-inf"))
_found_away: ContextVar[float] = ContextVar("found_away", default=float("-inf"))


def waited_in_vain() -> None:
    """Remember that there was no connection, or no answer; a try of little patience is not remembered."""
    if not has_waited_lately():
        _waited.set(_now())


def has_waited_lately() -> bool:
    """Whether this very request, or job, has just waited for the database in vain."""
    return _now() < _waited.get() + _LATELY_SECONDS


def keep_short(engine: AsyncEngine) -> None:
    """Let nobody wait for the farewell of a server that does not answer, nor twice on the same silence."""
    listen = partial(sa.event.listen, engine.sync_engine)
    listen("handle_error", _drop_if_late)
    listen("connect", _note_when_made)
    listen("checkout", _renew_if_suspect)


def _drop_if_late(context: ExceptionContext) -> None:
    if isinstance(context.original_exception, TimeoutError | asyncio.CancelledError):
        _found_away.set(_now())
        if context.connection is not None and not context.connection.invalidated:
            _terminate(context.connection.connection.driver_connection)


def _note_when_made(_connection: object, entry: ConnectionPoolEntry) -> None:
    entry.info[_MADE_AT] = _now()


def _renew_if_suspect(_connection: object, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    if has_waited_lately() and entry.info[_MADE_AT] < _found_away.get():
        _terminate(entry.driver_connection)
        raise DisconnectionError


def _terminate(driver_connection: object) -> None:
    """Close it at once; the pool by itself would wait for the server."""
    terminate = getattr(driver_connection, "terminate", None)
    if terminate is not None:
        terminate()


def _now() -> float:
    return asyncio.get_running_loop().time()
