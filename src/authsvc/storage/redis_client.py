"""Redis: the connection. Its errors leave here as `RedisAway`, or `OperatorError` at start."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from authsvc.errors import OperatorError
from authsvc.metrics import STORE_ERRORS

MAX_CONNECTIONS = 64
WAIT_SECONDS = 1.0
"""How long a command waits for one of them."""

NAMESPACE = "{authsvc}:"
"""The braces put all keys into one slot of a cluster."""


class RedisAway(Exception):
    """Redis could not be asked, or not in time."""


def connect(url: str, *, timeout_seconds: float) -> Redis:
    """Return a client that gives up after *timeout_seconds* and never tries twice."""
    try:
        # One that waits: the other kind calls itself away as soon as it is busy, and a denial is lost.
        pool = BlockingConnectionPool.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            max_connections=MAX_CONNECTIONS,
            timeout=WAIT_SECONDS,
        )
    except ValueError:  # its text may hold the password
        raise OperatorError(
            "AUTHSVC_REDIS_URL cannot be read as a URL; write redis://USER:PASSWORD@HOST:6379/0, "
            "in USER and PASSWORD %40 for @, %3A for : and %2F for /"
        ) from None
    return Redis.from_pool(pool)


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn what the driver raises into `RedisAway`."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        STORE_ERRORS.labels("redis").inc()
        raise RedisAway(str(error)) from error


async def ping(redis: Redis) -> bool:
    """Whether Redis answers."""
    try:
        with redis_errors():
            await redis.get(NAMESPACE)
    except RedisAway:
        return False
    return True


async def refuse_eviction(redis: Redis) -> None:
    """Refuse a Redis that may drop denials; one that is away is looked at by readiness.

    Raises:
        OperatorError: the policy evicts, or the password is wrong.
    """
    try:
        with redis_errors():
            policy = (await redis.info("memory")).get("maxmemory_policy", "noeviction")
    except RedisAway as away:
        if isinstance(away.__cause__, AuthenticationError):
            raise OperatorError(
                f"AUTHSVC_REDIS_URL: Redis refuses the password ({away}). "
                "Write the right one into it: redis://USER:PASSWORD@HOST:6379/0"
            ) from None
        return
    if policy != "noeviction":
        raise OperatorError(
            f"AUTHSVC_REDIS_URL: this Redis evicts keys (maxmemory-policy {policy}), so it could forget that "
            "a token was revoked. Set it with: redis-cli CONFIG SET maxmemory-policy noeviction "
            "(and in redis.conf), or name another Redis."
        )
