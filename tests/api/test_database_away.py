"""Postgres fails: 503 with Retry-After, soon, and nothing is used up; its return needs no restart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from time import perf_counter

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from authsvc.errors import Unavailable
from authsvc.storage.denial_rows import record_node
from tests.conftest import MakeService
from tests.fixtures.clock import ManualClock
from tests.fixtures.documented import operation_of
from tests.fixtures.forge import Forge
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
def redis() -> Iterator[RedisServer]:
    """Another that only these tests use."""
    server = RedisServer()
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


@pytest.fixture(params=["stopped", "killed"])
async def lose_postgres(
    request: pytest.FixtureRequest, own_postgres: PostgresServer, stack: Stack
) -> AsyncIterator[Callable[[], None]]:
    """Take Postgres away; it is back when the test is over, and nobody holds on to a connection of before."""
    yield {"stopped": own_postgres.stop, "killed": own_postgres.kill}[request.param]
    own_postgres.start()
    await stack.services.stores.database.close()


@pytest.fixture
async def client(service: Service) -> Registered:
    """A client that may introspect, of an account that can log in."""
    await service.add_account()
    return await service.add_client(may_introspect=True)


async def refuses_for_now(asked: Awaitable[httpx.Response]) -> httpx.Response:
    """See that the answer is 503 with Retry-After, and came soon."""
    began = perf_counter()
    response = await asked
    assert perf_counter() - began < LIMIT_SECONDS
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    operation_of(response.request).assert_documented(response)
    assert response.json() == operation_of(response.request).refusal(503)
    return response


def log_in(service: Service, client: Registered) -> Awaitable[httpx.Response]:
    return service.post("/login", client, username=USERNAME, password=PASSWORD)


async def test_a_login_is_refused_for_now_and_makes_nothing(
    service: Service, client: Registered, own_postgres: PostgresServer, lose_postgres: Callable[[], None]
) -> None:
    before = await service.contents()
    lose_postgres()

    response = await refuses_for_now(log_in(service, client))

    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"] == "temporarily_unavailable"
    own_postgres.start()
    assert (await log_in(service, client)).status_code == 200
    after = await service.contents()
    assert (len(before["session"]), len(after["session"])) == (0, 1)


async def test_a_refresh_is_refused_for_now_and_uses_nothing_up(
    service: Service, client: Registered, own_postgres: PostgresServer, lose_postgres: Callable[[], None]
) -> None:
    tokens = await service.login(client)
    before = await service.contents()
    lose_postgres()

    response = await refuses_for_now(service.refresh(tokens["refresh_token"], client))

    assert response.json()["error"] == "temporarily_unavailable"
    own_postgres.start()
    service.clock.advance(minutes=1)  # behind any overlap
    assert await service.contents() == before
    assert (await service.refresh(tokens["refresh_token"], client)).status_code == 200


async def test_a_refresh_sent_to_a_hanging_database_is_not_made_when_it_goes_on(
    service_with: MakeService, client: Registered, own_postgres: PostgresServer
) -> None:
    service = await service_with(refresh_overlap_seconds=0)
    tokens = await service.refreshed((await service.login(client))["refresh_token"], client)
    before = await service.rows()
    own_postgres.freeze()

    try:
        await refuses_for_now(service.refresh(tokens["refresh_token"], client))
    finally:
        own_postgres.thaw()

    await asyncio.sleep(0.5)  # it reads what it was sent meanwhile
    assert await service.rows() == before
    assert (await service.refresh(tokens["refresh_token"], client)).status_code == 200


async def test_an_outage_in_the_overlap_makes_no_replay_of_an_honest_retry(
    service_with: MakeService,
    client: Registered,
    own_postgres: PostgresServer,
    lose_postgres: Callable[[], None],
) -> None:
    service = await service_with()  # one that has lost nothing yet
    first = await service.login(client)
    second = await service.refreshed(first["refresh_token"], client)  # an answer that never arrived
    service.clock.advance(seconds=9)
    lose_postgres()
    await refuses_for_now(service.refresh(first["refresh_token"], client))
    service.clock.advance(minutes=5)
    own_postgres.start()
    assert (await service.http.get("/readyz")).json()["database"] == "ok"
    service.clock.advance(seconds=9)

    repeated = await service.refreshed(first["refresh_token"], client)

    assert repeated["refresh_token"] == second["refresh_token"]
    service.clock.advance(seconds=1)  # one overlap from the return, and no more
    assert (await service.refresh(first["refresh_token"], client)).status_code == 400
    assert await service.doors(second["access_token"], client) == DEAD


async def test_an_outage_after_the_overlap_forgives_no_replay(
    service_with: MakeService,
    client: Registered,
    own_postgres: PostgresServer,
    lose_postgres: Callable[[], None],
) -> None:
    service = await service_with()  # one that has lost nothing yet
    first = await service.login(client)
    second = await service.refreshed(first["refresh_token"], client)
    service.clock.advance(seconds=10)
    lose_postgres()
    await refuses_for_now(service.refresh(first["refresh_token"], client))
    own_postgres.start()

    assert (await service.refresh(first["refresh_token"], client)).status_code == 400
    assert await service.doors(second["access_token"], client) == DEAD


@pytest.mark.demand("V-10")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_a_revocation_is_refused_for_now_and_the_token_lives(
    service: Service,
    client: Registered,
    own_postgres: PostgresServer,
    lose_postgres: Callable[[], None],
    kind: str,
) -> None:
    tokens = await service.login(client)
    lose_postgres()

    response = await refuses_for_now(service.post("/revoke", client, token=tokens[kind]))

    assert response.json()["error"] == "temporarily_unavailable"
    own_postgres.start()
    assert await service.doors(tokens["access_token"], client) == LIVE
    assert (await service.post("/revoke", client, token=tokens[kind])).status_code == 200
    assert await service.doors(tokens["access_token"], client) == DEAD


@pytest.mark.parametrize("scope", ["session", "others", "all"])
async def test_a_logout_is_refused_for_now_and_the_session_lives(
    service: Service,
    client: Registered,
    own_postgres: PostgresServer,
    lose_postgres: Callable[[], None],
    scope: str,
) -> None:
    token = (await service.login(client))["access_token"]
    lose_postgres()

    response = await refuses_for_now(service.as_user("POST", "/logout", token, scope=scope))

    assert response.headers["content-type"] == "application/problem+json"
    own_postgres.start()
    assert await service.doors(token, client) == LIVE
    assert (await service.as_user("POST", "/logout", token, scope=scope)).status_code == 204


@pytest.mark.demand("F-04")
async def test_jwts_are_still_judged_for_callers_seen_lately(
    service: Service, client: Registered, lose_postgres: Callable[[], None]
) -> None:
    live, ended = await service.login(client), await service.login(client)
    await service.as_user("POST", "/logout", ended["access_token"])
    assert await service.doors(live["access_token"], client) == LIVE
    lose_postgres()

    if not service.issues_jwt:
        await refuses_for_now(service.post("/introspect", client, token=live["access_token"]))
        return
    assert await service.doors(live["access_token"], client) == LIVE
    assert await service.doors(ended["access_token"], client) == DEAD
    wrong = Registered(client.client, "a wrong secret")
    assert (await service.post("/introspect", wrong, token=live["access_token"])).status_code == 401


async def test_a_caller_is_remembered_for_a_bounded_time(
    service: Service, client: Registered, lose_postgres: Callable[[], None]
) -> None:
    token = (await service.login(client))["access_token"]
    assert await service.is_live(token, client)
    lose_postgres()
    service.clock.advance(minutes=10, seconds=1)

    await refuses_for_now(service.post("/introspect", client, token=token))


async def test_a_caller_that_changed_since_it_was_seen_is_not_believed(
    service_with: MakeService, client: Registered, lose_postgres: Callable[[], None]
) -> None:
    service, other = await service_with(), await service_with()
    token = (await service.login(client))["access_token"]
    assert await service.is_live(token, client)
    await other.stack.services.clients.disable(client.id)
    lose_postgres()

    await refuses_for_now(service.post("/introspect", client, token=token))


async def test_no_check_guesses_while_both_stores_are_away(
    service: Service,
    client: Registered,
    redis: RedisServer,
    own_postgres: PostgresServer,
    lose_postgres: Callable[[], None],
) -> None:
    live, ended = await service.login(client), await service.login(client)
    await service.as_user("POST", "/logout", ended["access_token"])
    lose_postgres()
    redis.freeze()  # and not stopped: it must not forget what it knows

    try:
        await refuses_for_now(service.post("/introspect", client, token=live["access_token"]))
        await refuses_for_now(service.as_user("GET", "/me", live["access_token"]))
        await refuses_for_now(service.as_user("GET", "/verify", ended["access_token"]))
        unready = await service.http.get("/readyz")
        healthy = await service.http.get("/healthz")
    finally:
        redis.thaw()

    assert unready.status_code == 503
    reason = "it cannot be reached, or not in time"
    assert unready.json() == {
        "status": "unready",
        "database": "away",
        "redis": "away",
        "redis_reason": reason,
    }
    assert healthy.status_code == 200
    own_postgres.start()
    assert await service.doors(live["access_token"], client) == LIVE
    assert await service.doors(ended["access_token"], client) == DEAD


async def test_an_old_snapshot_proves_nothing_while_postgres_is_away(
    service: Service,
    client: Registered,
    redis: RedisServer,
    own_postgres: PostgresServer,
    lose_postgres: Callable[[], None],
) -> None:
    assert service.stack.redis is not None
    await service.stack.redis.save()
    ended = (await service.login(client))["access_token"]
    await service.as_user("POST", "/logout", ended)
    redis.kill()
    lose_postgres()
    redis.start()
    await service.stack.redis.connection_pool.disconnect()

    unready = await service.http.get("/readyz")
    await refuses_for_now(service.post("/introspect", client, token=ended))

    assert unready.status_code == 503
    reason = "the denylist was last seen on another node, and the database is away"
    assert unready.json()["redis_reason"] == reason
    own_postgres.start()
    assert (await service.http.get("/readyz")).json()["status"] == "ready"
    assert await service.doors(ended, client) == DEAD


async def test_an_old_snapshot_that_nobody_could_load_over_proves_nothing_either(
    service: Service, client: Registered, redis: RedisServer, lose_postgres: Callable[[], None]
) -> None:
    """Somebody began to load it, which is recorded, and Postgres went away before it was done."""
    client_of_redis = service.stack.redis
    assert client_of_redis is not None
    await client_of_redis.save()
    ended = (await service.login(client))["access_token"]
    await service.as_user("POST", "/logout", ended)
    redis.kill()
    redis.start()
    await client_of_redis.connection_pool.disconnect()
    async with service.transaction() as tx:
        await record_node(tx, (await client_of_redis.info("server"))["run_id"])
    await client_of_redis.config_set("maxmemory", "1")  # it takes no writes for now
    try:
        await service.stack.look()
    finally:
        await client_of_redis.config_set("maxmemory", "0")

    lose_postgres()

    reason = (await service.http.get("/readyz")).json().get("redis_reason")
    assert reason == "it has forgotten what it held, and the database is away"
    await refuses_for_now(service.post("/introspect", client, token=ended))


async def test_readiness_tells_of_postgres_and_of_its_return(
    service: Service, own_postgres: PostgresServer, lose_postgres: Callable[[], None]
) -> None:
    lose_postgres()
    away = await service.http.get("/readyz")
    own_postgres.start()
    back = await service.http.get("/readyz")

    # Only JWTs can be judged without it.
    status, word = (200, "degraded") if service.issues_jwt else (503, "unready")
    assert (away.status_code, away.json()) == (status, {"status": word, "database": "away", "redis": "ok"})
    assert (back.status_code, back.json()) == (200, {"status": "ready", "database": "ok", "redis": "ok"})


@pytest.mark.only("postgres-jwt", reason="opaque tokens name no key")
async def test_a_text_that_was_refused_for_its_key_is_no_dead_token_while_the_key_cannot_be_asked_for(
    service: Service, forge: Forge, lose_postgres: Callable[[], None]
) -> None:
    caller = await service.add_client(may_introspect=True)
    token = forge.with_header(kid="of-another-instance").signed_by(generate_private_key(SECP256R1()))
    said = [await service.is_live(token, caller) for _ in range(2)]
    lose_postgres()
    service.clock.advance(seconds=1)

    await refuses_for_now(service.post("/introspect", caller, token=token))
    # It may not look again so soon, and must not take the look that failed for an answer.
    again = await service.post("/introspect", caller, token=token)

    assert (said, again.status_code) == ([False, False], 503)


@pytest.mark.only("postgres-jwt", reason="opaque tokens name no key")
async def test_while_the_look_for_keys_hangs_an_unknown_key_is_no_verdict(
    service: Service, forge: Forge, own_postgres: PostgresServer
) -> None:
    caller = await service.add_client(may_introspect=True)
    key = generate_private_key(SECP256R1())
    unseen, refused = (forge.with_header(kid=kid).signed_by(key) for kid in ("unseen", "refused"))
    said = await service.is_live(refused, caller)
    own_postgres.freeze()

    try:
        job = asyncio.create_task(service.stack.services.reload())
        await asyncio.sleep(0.1)
        asked = [service.post("/introspect", caller, token=token) for token in (unseen, refused)]
        async with asyncio.timeout(LIMIT_SECONDS):
            answers = await asyncio.gather(*asked)
        ended = await asyncio.gather(job, return_exceptions=True)
    finally:
        own_postgres.thaw()

    assert (said, [answer.status_code for answer in answers]) == (False, [503, 503])
    assert isinstance(ended[0], Unavailable)


@pytest.mark.only("postgres-jwt", reason="an opaque token cannot be judged without its row")
@pytest.mark.parametrize("reason", ["expired", "another client", "without the grant"])
async def test_a_refresh_that_memory_alone_would_refuse_leaves_what_is_known_of_its_client(
    service: Service, client: Registered, lose_postgres: Callable[[], None], reason: str
) -> None:
    clients, presenting = service.stack.services.clients, client
    remembered = await service.refreshed((await service.login(client))["refresh_token"], client)
    if reason == "expired":
        service.clock.advance(seconds=service.stack.settings.session_idle_seconds)
    if reason == "another client":
        presenting = await service.add_client(may_introspect=True)
    if reason == "without the grant":
        await clients.change(client.id, grants=frozenset({"password"}))
    live = (await service.login(client))["access_token"]
    assert await service.is_live(live, presenting)
    lose_postgres()

    refused = await service.refresh(remembered["refresh_token"], presenting)

    assert refused.status_code == (400 if reason == "without the grant" else 503)
    assert await service.is_live(live, presenting)
