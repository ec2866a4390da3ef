"""Redis answers, and has forgotten: what was revoked stays revoked, what lives stays live (P8)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from authsvc.storage import denial_rows
from tests.conftest import MakeService
from tests.faults.wire_process import WireProcess
from tests.fixtures.clock import ManualClock
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import Json, Registered, Service
from tests.fixtures.stack import Stack, make_settings, migrate, running

pytestmark = pytest.mark.only(
    "postgres-jwt", "postgres-opaque", reason="the embedded default has no Redis that could forget"
)
LOADS = "authsvc_denylist_loads_total"
FALLBACKS = "authsvc_fallbacks_total"


@pytest.fixture(scope="session")
def own_redis() -> Iterator[RedisServer]:
    """A server that only these tests use, so that they may make it forget."""
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
async def stack(
    request: pytest.FixtureRequest, own_redis: RedisServer, postgres: PostgresServer
) -> AsyncIterator[Stack]:
    name = f"forgets_{request.param.removeprefix('postgres-')}"
    postgres.create_database(name)
    settings = make_settings(
        postgres.url(name), own_redis.url(1), token_format=request.param.removeprefix("postgres-")
    )
    await migrate(settings)
    async with running(settings, ManualClock()) as made:
        yield made


@pytest.fixture
async def redis(own_redis: RedisServer, stack: Stack) -> AsyncIterator[Redis]:
    """A connection of the test's own. The server is well again when the test is over."""
    async with Redis.from_url(own_redis.url(1)) as client:
        yield client
    own_redis.start(empty=True)
    async with Redis.from_url(own_redis.url()) as client:
        await client.replicaof("NO", "ONE")
        await client.config_set("maxmemory-policy", "noeviction")
    # The next test begins with a connection of its own, not with one that died here.
    assert stack.redis is not None
    await stack.redis.connection_pool.disconnect()


@dataclass
class Ended:
    """A session that lives and tokens that died, one for each way to die."""

    live: Json
    dead: list[str]


@pytest.fixture
async def ended(service: Service) -> Ended:
    await service.add_account()
    client, suspended = await service.add_client(), await service.add_client()
    live, logged_out, revoked = [await service.login(client) for _ in range(3)]
    of_suspended = await service.login(suspended)
    await service.as_user("POST", "/logout", logged_out["access_token"])
    await service.post("/revoke", client, token=revoked["access_token"])
    await service.stack.services.clients.disable(suspended.id)
    return Ended(live, [tokens["access_token"] for tokens in (logged_out, revoked, of_suspended)])


async def is_right(service: Service, ended: Ended, caller: Registered) -> None:
    """Every check, at every door, is as if nothing had happened."""
    assert await service.is_live(ended.live["access_token"], caller)
    assert [await service.is_live(token, caller) for token in ended.dead] == [False, False, False]
    for token in ended.dead:
        assert (await service.as_user("GET", "/verify", token)).status_code == 401


async def is_asked_alone(service: Service, work: Callable[[], Awaitable[None]]) -> None:
    """Nothing in *work* falls back to the database."""
    before = await service.metric(FALLBACKS)
    await work()
    assert await service.metric(FALLBACKS) == before


async def flush(redis: Redis, _server: RedisServer) -> None:
    await redis.flushall()


async def lose_everything(_redis: Redis, server: RedisServer) -> None:
    server.kill()
    server.start(empty=True)


async def change_history(redis: Redis, _server: RedisServer) -> None:
    """Become the replica of another, which has nothing, and a primary again with its emptiness."""
    other = RedisServer()
    other.start()
    try:
        await redis.replicaof("127.0.0.1", str(other.port))
        async with asyncio.timeout(10):
            while (await redis.info("replication"))["master_link_status"] != "up":  # noqa: ASYNC110 - Redis has no event for it
                await asyncio.sleep(0.01)
        await redis.replicaof("NO", "ONE")
    finally:
        other.close()


FORGETTING = {"flushed": flush, "killed and started empty": lose_everything, "a failover": change_history}


@pytest.mark.demand("F-01", "F-02")
@pytest.mark.parametrize("how", FORGETTING)
async def test_what_was_revoked_stays_revoked_before_and_after_it_is_loaded_again(
    service: Service, redis: Redis, own_redis: RedisServer, ended: Ended, caller: Registered, how: str
) -> None:
    await is_right(service, ended, caller)
    loads = await service.metric(LOADS)

    await FORGETTING[how](redis, own_redis)

    await is_right(service, ended, caller)
    await service.stack.look()
    assert await service.metric(LOADS) == loads + 1
    await is_asked_alone(service, lambda: is_right(service, ended, caller))


@pytest.mark.demand("F-02")
async def test_an_old_snapshot_does_not_revive_what_ended_after_it(
    service: Service, redis: Redis, own_redis: RedisServer, ended: Ended, caller: Registered
) -> None:
    await redis.save()
    later = await service.login()
    await service.as_user("POST", "/logout", later["access_token"])
    own_redis.kill()
    own_redis.start()

    assert not await service.is_live(later["access_token"], caller)
    await service.stack.look()
    assert not await service.is_live(later["access_token"], caller)
    await is_asked_alone(service, lambda: is_right(service, ended, caller))


async def test_an_end_is_told_to_a_redis_that_restarted_before_this_instance_has_looked(
    service: Service, redis: Redis, own_redis: RedisServer, ended: Ended, caller: Registered
) -> None:
    """Another instance may have loaded it, and believe it already."""
    await lose_everything(redis, own_redis)
    assert await service.is_live(ended.live["access_token"], caller)  # told by the database

    await service.as_user("POST", "/logout", ended.live["access_token"])

    assert len(await redis.keys("{authsvc}:sid:*")) == 1


async def test_an_end_is_told_over_another_connection_where_one_ends_under_it(
    service: Service, service_with: MakeService, redis: Redis, own_redis: RedisServer
) -> None:
    """Others may believe that Redis, though this instance does not."""
    await service.add_account()
    with closing(WireProcess(own_redis.port)) as wire:
        other = await service_with(redis_url=SecretStr(f"redis://127.0.0.1:{wire.port}/1"))
        first, live = [(await other.login())["access_token"] for _ in range(2)]
        await other.as_user("POST", "/logout", first)  # now there is a connection for it
        await redis.flushall()
        assert (await other.as_user("GET", "/me", live)).status_code == 200  # told by the database

        wire.end()
        await other.as_user("POST", "/logout", live)

    assert len(await redis.keys("{authsvc}:sid:*")) == 1


async def test_a_flush_while_it_is_loaded_leaves_nothing_that_looks_whole(
    service: Service, redis: Redis, ended: Ended, caller: Registered
) -> None:
    await redis.flushall()
    async with redis.monitor() as monitor:
        loading = asyncio.create_task(service.stack.look())
        async for seen in monitor.listen():
            if "{authsvc}:loading:" in seen["command"]:
                break
        await redis.flushall()
        await loading

    assert await redis.get("{authsvc}:marker") is None
    await is_right(service, ended, caller)
    await service.stack.look()
    await is_asked_alone(service, lambda: is_right(service, ended, caller))


async def test_a_node_that_another_instance_left_is_loaded_before_it_is_believed(
    service: Service, ended: Ended, caller: Registered
) -> None:
    """The others were writing elsewhere meanwhile, so what it holds may lack something."""
    async with service.transaction() as tx:
        await denial_rows.record_node(tx, "another node")
    loads = await service.metric(LOADS)

    await service.stack.look()

    assert await service.metric(LOADS) == loads + 1
    await is_asked_alone(service, lambda: is_right(service, ended, caller))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(
            lambda redis: redis.config_set("maxmemory-policy", "allkeys-lru"), "evicts", id="it evicts"
        ),
        pytest.param(lambda redis: redis.replicaof("127.0.0.1", "1"), "replica", id="it is a replica"),
    ],
)
async def test_a_redis_that_cannot_be_believed_any_more_is_not_asked(
    service: Service,
    redis: Redis,
    ended: Ended,
    caller: Registered,
    spoil: Callable[[Redis], Awaitable[object]],
    reason: str,
) -> None:
    await spoil(redis)

    ready = await service.http.get("/readyz")

    assert (ready.status_code, ready.json()["status"], ready.json()["redis"]) == (200, "degraded", "away")
    assert reason in ready.json()["redis_reason"]
    before = await service.metric(FALLBACKS)
    await is_right(service, ended, caller)
    assert (await service.metric(FALLBACKS) > before) is service.issues_jwt


async def test_a_redis_that_evicted_for_a_while_is_loaded_before_it_is_believed(
    service: Service, redis: Redis, ended: Ended, caller: Registered
) -> None:
    service.clock.advance(minutes=2)  # what was denied a moment ago is told again to a node that changed
    await redis.config_set("maxmemory-policy", "volatile-lru")
    await service.stack.look()
    denials = [key for key in await redis.keys() if b"marker" not in key]
    await redis.delete(*denials)  # as if for want of memory; the marker has no life and would stay

    await redis.config_set("maxmemory-policy", "noeviction")
    await service.stack.look()

    await is_asked_alone(service, lambda: is_right(service, ended, caller))


async def test_a_key_that_was_dropped_to_make_room_makes_the_whole_forgotten(
    service: Service, redis: Redis, ended: Ended, caller: Registered
) -> None:
    """Nobody may have looked while the policy was another."""
    loads = await service.metric(LOADS)
    await redis.config_set("maxmemory-policy", "allkeys-random")
    await redis.config_set("maxmemory", "1")
    with suppress(ResponseError):
        await redis.set("another application's", "value")
    await redis.config_set("maxmemory", "0")
    await redis.config_set("maxmemory-policy", "noeviction")

    await service.stack.look()

    assert await service.metric(LOADS) == loads + 1
    await is_asked_alone(service, lambda: is_right(service, ended, caller))
