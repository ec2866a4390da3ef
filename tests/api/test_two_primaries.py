"""Two instances see two primaries of one Redis: each stays right, and neither loads without pause (P8)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from redis.asyncio import Redis

from tests.conftest import MakeService
from tests.faults.wire_process import WireProcess
from tests.fixtures.clock import ManualClock
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import Registered, Service
from tests.fixtures.stack import Stack, make_settings, migrate, running

pytestmark = pytest.mark.only("postgres-jwt", reason="Redis is asked about JWTs only")
LOADS = "authsvc_denylist_loads_total"
FALLBACKS = "authsvc_fallbacks_total"
LOOK_SECONDS = 0.5
TURNS = 240
# Of one instance: the first, six while its pauses grow from 0.25 to 8 s, and one in 15 s after that.
MOST_LOADS = 1 + 6 + round(TURNS * LOOK_SECONDS / 15)


@pytest.fixture(scope="session")
def primaries() -> Iterator[tuple[RedisServer, RedisServer]]:
    """Two servers of which neither knows of the other."""
    servers = RedisServer(), RedisServer()
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
async def stack(primaries: tuple[RedisServer, RedisServer], postgres: PostgresServer) -> AsyncIterator[Stack]:
    postgres.create_database("two_primaries")
    settings = make_settings(postgres.url("two_primaries"), primaries[0].url(), token_format="jwt")
    await migrate(settings)
    async with running(settings, ManualClock()) as made:
        yield made


@pytest.fixture
def wire(primaries: tuple[RedisServer, RedisServer]) -> Iterator[WireProcess]:
    """The way of the other instance to Redis; it leads to the second server."""
    line = WireProcess(primaries[1].port)
    yield line
    line.close()


@pytest.fixture
async def other(service_with: MakeService, wire: WireProcess) -> Service:
    """The other instance."""
    return await service_with(redis_url=SecretStr(f"redis://127.0.0.1:{wire.port}/0"))


async def take_turns(service: Service, other: Service, turns: int = 1) -> None:
    for _ in range(turns):
        await service.stack.look()
        await other.stack.look()
        service.clock.advance(seconds=LOOK_SECONDS)


async def test_they_load_ever_less_often_and_every_check_is_right(
    service: Service, other: Service, caller: Registered
) -> None:
    await service.add_account()
    kept, *ending = [(await service.login())["access_token"] for _ in range(9)]
    loads = await service.metric(LOADS)

    for number, token in enumerate(ending):
        await (service, other)[number % 2].as_user("POST", "/logout", token)
        await take_turns(service, other, TURNS // len(ending))
        for instance in (service, other):
            assert await instance.is_live(kept, caller)
            dead = [await instance.is_live(ended, caller) for ended in ending[: number + 1]]
            assert not any(dead)

    assert await service.metric(LOADS) - loads <= 2 * MOST_LOADS


async def test_who_may_not_load_yet_says_so_and_asks_postgres(
    service: Service, other: Service, caller: Registered
) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    for _ in range(3):
        await service.stack.look()
        await other.stack.look()
    ready = [(await instance.http.get("/readyz")).json() for instance in (service, other)]

    (waiting,) = [index for index, told in enumerate(ready) if told["status"] == "degraded"]

    assert ready[waiting]["redis_reason"] == "another instance has found it on another node"
    before = await service.metric(FALLBACKS)
    assert await (service, other)[waiting].is_live(token, caller)
    assert await service.metric(FALLBACKS) == before + 1


async def test_a_load_that_was_cut_off_is_not_believed(
    service: Service, other: Service, caller: Registered, primaries: tuple[RedisServer, RedisServer]
) -> None:
    """Its node has the marker of an earlier load, and has not heard of what ended at the other since."""
    await service.add_account()
    ended = (await service.login())["access_token"]
    await service.stack.look()
    assert await service.is_live(ended, caller)
    service.clock.advance(seconds=30)
    await other.stack.look()
    await other.as_user("POST", "/logout", ended)
    service.clock.advance(minutes=3)  # what is younger is told again to whoever connects anew

    async with taking_its_time_to_record(service), Redis.from_url(primaries[0].url()) as redis:
        async with redis.monitor() as monitor:
            loading = asyncio.create_task(service.stack.look())
            async for seen in monitor.listen():
                if "{authsvc}:loading:" in seen["command"]:
                    break
        await redis.client_kill_filter(_type="normal", skipme=True)
        await loading
    assert service.stack.redis is not None
    await service.stack.redis.connection_pool.disconnect()
    await service.stack.look()

    assert not await service.is_live(ended, caller)


@asynccontextmanager
async def taking_its_time_to_record(service: Service) -> AsyncIterator[None]:
    """Let it take half a second to record a node."""
    async with service.transaction() as tx:
        await tx.execute(
            sa.text(
                "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
                "$$BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END$$"
            )
        )
        await tx.execute(
            sa.text("CREATE TRIGGER waits BEFORE UPDATE ON lease FOR EACH ROW EXECUTE FUNCTION wait()")
        )
    try:
        yield
    finally:
        async with service.transaction() as tx:
            await tx.execute(sa.text("DROP FUNCTION wait CASCADE"))


async def test_both_believe_redis_again_once_they_see_the_same_primary(
    service: Service,
    other: Service,
    caller: Registered,
    wire: WireProcess,
    primaries: tuple[RedisServer, RedisServer],
) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    await take_turns(service, other, 20)

    wire.lead_to(primaries[0].port)
    wire.drop()
    service.clock.advance(seconds=30)
    await take_turns(service, other, 2)

    before = await service.metric(FALLBACKS)
    for instance in (service, other):
        assert (await instance.http.get("/readyz")).json()["status"] == "ready"
        assert await instance.is_live(token, caller)
    assert await service.metric(FALLBACKS) == before
