"""Redis: how to connect. Its errors leave here as `RedisAway`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from authsvc.errors import OperatorError
from authsvc.metrics import STORE_ERRORS

NAMESPACE = "{authsvc}:"
"""The braces put all keys into one slot of a cluster."""

MakeConnection = Callable[[], AbstractConnection]
"""Makes a connection that is not connected yet."""


class RedisAway(Exception):
    """Redis could not be asked, or not in time, or must not be believed."""

    @property
    def reason(self) -> str:
        """Why, without what the driver says: that names hosts."""
        return str(self) if self.__cause__ is None else "it cannot be reached, or not in time"


def connections(url: str, *, timeout_seconds: float) -> MakeConnection:
    """Return what makes connections that give up after *timeout_seconds* and never try twice.

    Raises:
        OperatorError: *url* is none.
    """
    try:
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        (pool.connection_kwargs.get("host") or "").encode("idna")  # as the resolver will
        pool.connection_class(**pool.connection_kwargs)  # it alone knows which parameters there are
    except TypeError:
        raise OperatorError(
            "AUTHSVC_REDIS_URL has a parameter that the driver does not know; write redis://HOST:6379/0, "
            "or with TLS rediss://HOST:6379/0?ssl_ca_certs=FILE"
        ) from None
    except ValueError:  # its text may hold the password
        raise OperatorError(
            "AUTHSVC_REDIS_URL cannot be read as a URL; write redis://USER:PASSWORD@HOST:6379/0, "
            "in USER and PASSWORD %40 for @, %3A for : and %2F for /"
        ) from None
    return pool.make_connection


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn what the driver raises into `RedisAway`."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        STORE_ERRORS.labels("redis").inc()
        raise RedisAway(str(error) or type(error).__name__) from error
