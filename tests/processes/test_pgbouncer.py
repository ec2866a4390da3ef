"""The service behind PgBouncer in transaction mode: no statement counts on one that was prepared before."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fixtures.clock import ManualClock
from tests.fixtures.pgbouncer import pgbouncer
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.processes import ServerUnavailable
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import DEAD, LIVE, Service
from tests.fixtures.stack import Stack, make_settings, migrate, running

pytestmark = pytest.mark.only("postgres-jwt", "postgres-opaque", reason="SQLite has no connections to pool")


@pytest.fixture(scope="session")
def pooled(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a database through PgBouncer."""
    postgres.create_database("pooled")
    try:
        with pgbouncer(postgres.url("pooled")) as url:
            yield url
    except ServerUnavailable as missing:
        if os.environ.get("AUTHSVC_TEST_REQUIRE_REAL"):
            raise
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
async def stack(request: pytest.FixtureRequest, pooled: str, redis: RedisServer) -> AsyncIterator[Stack]:
    settings = make_settings(
        pooled,
        redis.url(4),
        token_format=request.param.removeprefix("postgres-"),
        database_prepared_statements=False,
        database_pool_size=20,
    )
    await migrate(settings)
    async with running(settings, ManualClock()) as made:
        yield made


async def test_what_many_do_at_once_over_few_connections_goes_through(service: Service) -> None:
    await service.add_account()
    caller = await service.add_client(may_introspect=True)
    sessions = await asyncio.gather(*(service.login() for _ in range(8)))

    async def live(number: int) -> None:
        tokens = sessions[number % len(sessions)]
        refreshed = await service.refreshed(tokens["refresh_token"])
        assert await service.doors(refreshed["access_token"], caller) == LIVE

    await asyncio.gather(*(live(number) for number in range(40)))
    ended, kept = sessions[0], sessions[1]
    assert (await service.as_user("POST", "/logout", ended["access_token"])).status_code == 204
    await service.stack.look()

    assert await service.doors(ended["access_token"], caller) == DEAD
    assert await service.doors(kept["access_token"], caller) == LIVE
    assert len(await service.sessions()) == len(sessions)


async def test_a_commit_behind_it_is_seen_by_the_next_question(service: Service) -> None:
    """Each question has a transaction of its own, not one that began before."""
    await service.add_account()
    caller = await service.add_client(may_introspect=True)
    for _ in range(20):
        token = (await service.login())["access_token"]
        assert await service.is_live(token, caller)
        await service.as_user("POST", "/logout", token)
        assert not await service.is_live(token, caller)
