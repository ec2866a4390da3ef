"""Postgres fails: 503 with Retry-After, soon, and nothing used up; its return needs no restart (RFC 7009 §2.2.1)."""

from collections.abc import AsyncIterator, Callable, Iterator
from time import perf_counter

import httpx
import pytest

from tests.fixtures.clock import ManualClock
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import DEAD, LIVE, PASSWORD, USERNAME, Registered, Service
from tests.fixtures.stack import Stack, make_settings, migrate, running

pytestmark = pytest.mark.only("postgres-jwt", "postgres-opaque", reason="SQLite has no server to lose")
LIMIT_SECONDS = 2.0


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[PostgresServer]:
    """A server that only these tests use, so that they may take it away."""
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
async def stack(
    request: pytest.FixtureRequest, own_postgres: PostgresServer, redis: RedisServer
) -> AsyncIterator[Stack]:
    """The service over that server, with the patience it has by default."""
    own_postgres.create_database(request.param)
    settings = make_settings(
        own_postgres.url(request.param),
        redis.url(3),
        token_format=request.param.removeprefix("postgres-"),
        database_timeout_seconds=1.0,
        redis_timeout_seconds=0.25,
    )
    await migrate(settings)
    async with running(settings, ManualClock()) as made:
        yield made


@pytest.fixture(params=["stopped", "killed", "frozen"])
def lose_postgres(
    request: pytest.FixtureRequest, own_postgres: PostgresServer
) -> Iterator[Callable[[], None]]:
    """Take Postgres away; it is back when the test is over."""
    ways = {"stopped": own_postgres.stop, "killed": own_postgres.kill, "frozen": own_postgres.freeze}
    yield ways[request.param]
    own_postgres.start()


async def timed(request: "AsyncIterator[httpx.Response]") -> None: ...


async def refused_for_now(asked: "Awaitable[httpx.Response]") -> httpx.Response:
    began = perf_counter()
    response = await asked
    assert perf_counter() - began < LIMIT_SECONDS
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    return response
