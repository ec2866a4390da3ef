"""At AUTHSVC_REDIS_URL is no Redis, or not ours: a sentence at start or `degraded`, and right answers."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from authsvc.errors import OperatorError
from tests.conftest import MakeService
from tests.fixtures.known_tokens import KnownTokens, becomes, log_out, readiness
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import Registered, Service
from tests.fixtures.strangers import stubborn_server, web_server

pytestmark = pytest.mark.only("postgres-jwt", reason="only checks of JWTs ask Redis")
NO_REDIS = "AUTHSVC_REDIS_URL: what answers there is no Redis. Write the address of one: redis://HOST:6379/0"
MOVING = "our slot is being moved to another node of its cluster"
UNKNOWN = "it answers with an error that authsvc does not know"
HANGS_UP = "it hangs up without a word: is it Redis, and does it want TLS (rediss://)?"


@pytest.fixture(scope="session")
def own_redis() -> Iterator[RedisServer]:
    """One that a test may turn into anything."""
    made = RedisServer()
    made.start()
    yield made
    made.close()


def at(port: int, login: str = "") -> SecretStr:
    return SecretStr(f"redis://{login}127.0.0.1:{port}/0")


async def is_degraded(service: Service, caller: Registered, reason: str) -> None:
    """It says why, and every answer is right."""
    said = await readiness(service)
    assert (said["status"], said["redis"], said.get("redis_reason")) == ("degraded", "away", reason)
    await (await KnownTokens.of(service)).are_judged_rightly(service, caller)


async def test_a_web_server_is_refused_at_start(service_with: MakeService) -> None:
    with web_server() as port, pytest.raises(OperatorError) as refused:
        await service_with(redis_url=at(port, ":hunter2@"))
    assert str(refused.value) == NO_REDIS


async def test_a_postgres_hangs_up_which_a_proxy_may_do_for_a_while(
    service_with: MakeService, caller: Registered, postgres: PostgresServer
) -> None:
    await is_degraded(await service_with(redis_url=at(postgres.port)), caller, HANGS_UP)


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail.example.com ESMTP\r\n", b"\x00\x01\x02\r\n"],
)
async def test_whatever_talks_and_is_no_redis_is_refused_at_start(
    service_with: MakeService, answer: bytes
) -> None:
    with stubborn_server(answer) as port, pytest.raises(OperatorError) as refused:
        await service_with(redis_url=at(port))
    assert str(refused.value) == NO_REDIS


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", HANGS_UP),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "it is still loading its data"),
        (
            b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
            "it is a replica that has lost its primary",
        ),
        (b"-CLUSTERDOWN The cluster is down\r\n", "its cluster is down"),
        (b"-ASK 4321 127.0.0.1:1\r\n", MOVING),
        (b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n", MOVING),
        (b"-READONLY You can't write against a read only replica.\r\n", "it is a replica"),
        (b"-MISCONF Errors writing to the AOF file\r\n", "it takes no writes"),
        (b"-ERR something nobody has ever heard of\r\n", UNKNOWN),
        (b"-\xff\xfe\r\n", UNKNOWN),
        (b"+OK\r\n" * 8, "it does not tell its run_id and master_replid"),
        (b":1\r\n" * 8, "it does not tell its run_id and master_replid"),
        (b"*0\r\n" * 8, "it does not tell its run_id and master_replid"),
        (b"$-1\r\n" * 8, "it does not tell its run_id and master_replid"),
    ],
)  # fmt: skip
async def test_an_answer_that_may_be_another_soon_is_redis_away(
    service_with: MakeService, caller: Registered, answer: bytes, reason: str
) -> None:
    with stubborn_server(answer) as port:
        await is_degraded(await service_with(redis_url=at(port)), caller, reason)


async def test_a_node_that_sends_to_itself_for_ever_is_redis_away(
    service_with: MakeService, caller: Registered
) -> None:
    with stubborn_server(b"-MOVED 4321 :PORT\r\n") as port:
        served = await service_with(redis_url=at(port))
        await is_degraded(served, caller, "the nodes of its cluster send from one to another")


async def test_a_redis_without_a_command_that_is_needed_is_refused_at_start(
    service_with: MakeService,
) -> None:
    answer = b"-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n"
    with stubborn_server(answer) as port, pytest.raises(OperatorError) as refused:
        await service_with(redis_url=at(port, ":hunter2@"))
    assert str(refused.value) == (
        "AUTHSVC_REDIS_URL: Redis does not know a command that we need. Name a Redis of version 6.2 or newer "
        "that has them all: EXISTS GET MGET SET DEL BITFIELD SETRANGE PEXPIRE EVAL INFO SELECT"
    )


async def test_a_wrong_password_is_refused_at_start(
    service_with: MakeService, own_redis: RedisServer
) -> None:
    with pytest.raises(OperatorError, match="Redis refuses the password") as refused:
        await service_with(redis_url=at(own_redis.port, "authsvc:hunter2@"))
    assert "hunter2" not in str(refused.value)


async def test_a_database_number_that_a_redis_does_not_have_is_refused_at_start(
    service_with: MakeService, own_redis: RedisServer
) -> None:
    with pytest.raises(OperatorError, match=r"Redis has no such database \(DB index is out of range\)"):
        await service_with(redis_url=SecretStr(own_redis.url(99)))


async def test_a_replica_is_not_asked_and_is_when_it_becomes_the_primary(
    service_with: MakeService, caller: Registered, own_redis: RedisServer, redis: RedisServer
) -> None:
    async with Redis.from_url(own_redis.url()) as client:
        await client.replicaof("127.0.0.1", str(redis.port))
        try:
            served = await service_with(redis_url=SecretStr(own_redis.url()))
            await is_degraded(served, caller, "it is a replica")
        finally:
            await client.replicaof("NO", "ONE")
    await becomes(served, "ready")


async def test_a_redis_without_a_connection_left_is_redis_away(
    service_with: MakeService, caller: Registered, own_redis: RedisServer
) -> None:
    async with Redis.from_url(own_redis.url(), single_connection_client=True) as client:
        before = (await client.config_get("maxclients"))["maxclients"] or 0
        await client.config_set("maxclients", "1")
        try:
            served = await service_with(redis_url=at(own_redis.port))
            await is_degraded(served, caller, "it has no connection left (maxclients)")
        finally:
            await client.config_set("maxclients", before)
    await becomes(served, "ready")


def keys_of(token: str) -> dict[str, str]:
    """Every key of Redis that can deny the token."""
    header, claims = (json.loads(urlsafe_b64decode(f"{part}==")) for part in token.split(".")[:2])
    names = {"jti": claims["jti"], "sid": claims["sid"], "client": claims["client_id"], "kid": header["kid"]}
    return {kind: f"{{authsvc}}:{kind}:{name}" for kind, name in names.items()}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(("client", value) for value in ("", "yes", "3 maybe", '{"id": 1}', "9" * 5000 + " enabled")),
        ("sid", "yes"),
        ("jti", ""),
        ("kid", "\N{SNOWMAN}"),
    ],
)
async def test_text_of_another_application_under_a_key_of_ours_denies_nobody(
    service: Service, caller: Registered, kind: str, value: str
) -> None:
    redis = service.stack.redis
    assert redis is not None
    tokens = await KnownTokens.of(service)
    key = keys_of(tokens.live)[kind]
    await redis.set(key, value)

    await tokens.are_judged_rightly(service, caller)
    said = await readiness(service)
    assert (said["status"], said.get("redis_reason")) == (
        "degraded",
        f"the key {key} holds another application's value",
    )
    await tokens.are_judged_rightly(service, caller)

    await redis.delete(key)
    assert (await readiness(service))["status"] == "ready"
    await tokens.are_judged_by_redis(service, caller)


async def test_a_list_under_the_key_of_a_client_is_left_and_the_client_is_suspended_all_the_same(
    service: Service, caller: Registered
) -> None:
    redis = service.stack.redis
    assert redis is not None
    client = await service.add_client()
    await service.add_account()
    token = (await service.login(client))["access_token"]
    key = keys_of(token)["client"]
    await redis.delete(key)
    await redis.rpush(key, "another application's")

    await service.stack.services.clients.disable(client.id)
    said = await readiness(service)
    assert said.get("redis_reason") == f"it takes no writes: the key {key} holds another application's value"
    assert not await service.is_live(token, caller)
    assert await redis.lrange(key, 0, -1) == [b"another application's"]

    await redis.delete(key)
    await becomes(service, "ready")
    assert await redis.get(key) == b"2 disabled"
    assert not await service.is_live(token, caller)


async def test_a_hash_under_the_key_of_a_session_gives_way_to_its_end(
    service: Service, caller: Registered
) -> None:
    redis = service.stack.redis
    assert redis is not None
    tokens = await KnownTokens.of(service)
    await redis.hset(keys_of(tokens.live)["sid"], "another", "application")

    await tokens.are_judged_by_redis(service, caller)
    await log_out(service, tokens.live)
    assert not await service.is_live(tokens.live, caller)
    assert (await readiness(service))["status"] == "ready"


async def test_a_list_where_the_marker_should_be_is_refused_at_start(
    service: Service, service_with: MakeService
) -> None:
    redis = service.stack.redis
    assert redis is not None
    await redis.delete("{authsvc}:marker")
    await redis.rpush("{authsvc}:marker", "another application's")

    with pytest.raises(OperatorError) as refused:
        await service_with()

    assert str(refused.value).startswith(
        "AUTHSVC_REDIS_URL: the key {authsvc}:marker holds another application's value ("
    )


async def test_a_list_that_comes_where_the_marker_was_is_redis_away(
    service: Service, caller: Registered
) -> None:
    redis = service.stack.redis
    assert redis is not None
    tokens = await KnownTokens.of(service)
    await redis.delete("{authsvc}:marker")
    await redis.rpush("{authsvc}:marker", "another application's")

    await tokens.are_judged_rightly(service, caller)
    said = await readiness(service)
    assert said.get("redis_reason") == "the key {authsvc}:marker holds another application's value"
    await tokens.are_judged_rightly(service, caller)

    await redis.delete("{authsvc}:marker")
    await becomes(service, "ready")
    await tokens.are_judged_by_redis(service, caller)


async def test_text_where_the_marker_was_is_a_denylist_to_load_again(
    service: Service, caller: Registered
) -> None:
    redis = service.stack.redis
    assert redis is not None
    tokens = await KnownTokens.of(service)
    await redis.set("{authsvc}:marker", "another application's")

    await tokens.are_judged_rightly(service, caller)
    await becomes(service, "ready")
    await tokens.are_judged_by_redis(service, caller)
