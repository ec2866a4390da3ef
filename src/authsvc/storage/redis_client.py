"""Redis: the names of our keys, how to put a question, and what is raised where none can be put."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection, SSLConnection
from redis.exceptions import InvalidResponse, RedisError
from redis.exceptions import TimeoutError as DriverTimeoutError

from authsvc.metrics import STORE_ERRORS
from authsvc.storage import redis_refusal

NAMESPACE = "{authsvc}:"
"""The braces put all keys into one slot of a cluster."""

Command = tuple[bytes | str | int, ...]

STUMBLES = (AttributeError, LookupError, TypeError, ValueError)
"""What the driver and its reader raise where the answer is of something else than Redis."""


class RedisAway(Exception):
    """Redis could not be asked, or not in time, or must not be believed."""

    @property
    def reason(self) -> str:
        """Why, without what the driver says: that names hosts."""
        return str(self) if self.__cause__ is None else redis_refusal.reason(self.__cause__)

    @property
    def is_silence(self) -> bool:
        """Whether there was no answer in time, for which somebody had to wait; a refusal comes at once."""
        return isinstance(self.__cause__, (TimeoutError, DriverTimeoutError))


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn what the driver raises into `RedisAway`."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise away(error) from error


def away(error: Exception) -> RedisAway:
    """Count *error*, and return what is raised for it."""
    STORE_ERRORS.labels("redis").inc()
    counted = RedisAway(str(error) or type(error).__name__)
    counted.__cause__ = error
    return counted


def packed(commands: Sequence[Command]) -> bytes:
    """Return *commands* as they are sent."""
    return b"".join([pack_command(command) for command in commands])  # type: ignore[arg-type] # its stub takes one word only


async def connect(connection: AbstractConnection) -> None:
    """Connect, log in, and choose the database.

    Raises:
        RedisError, OSError, TimeoutError: one of it failed.
    """
    try:
        with _odd_answers():
            await connection.connect()  # type: ignore[no-untyped-call] # the library has no types here
            # From here on `exchange` bounds the whole: the driver would make a task of each write.
            connection.socket_timeout = None
    except (DriverTimeoutError, TimeoutError) as late:
        if not isinstance(connection, SSLConnection):
            raise
        raise DriverTimeoutError(redis_refusal.NO_TLS) from late


async def exchange(connection: AbstractConnection, commands: Sequence[Command]) -> list[object]:
    """Return the answers to *commands*; one round trip, in the time in which one has to connect.

    Raises:
        RedisError, OSError, TimeoutError: the first that failed; the answers after it were not read.
    """
    with _odd_answers():
        async with asyncio.timeout(connection.socket_connect_timeout):
            await connection.send_packed_command(packed(commands), check_health=False)
            return [await connection.read_response() for _ in commands]


@contextmanager
def _odd_answers() -> Iterator[None]:
    """Take what the driver stumbles over for the answer of something else than Redis."""
    try:
        yield
    except STUMBLES as odd:
        raise InvalidResponse(str(odd)) from odd
