"""Redis fails: Postgres is asked, every answer stays right, and Redis' return needs no restart (P8, P9)."""

from collections.abc import AsyncIterator, Callable

import pytest
import sqlalchemy as sa

from authsvc.errors import OperatorError
from authsvc.storage.tables import metadata
from tests.conftest import MakeService
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import DEAD, LIVE, PASSWORD, Registered, Service
from tests.fixtures.stack import Stack

pytestmark = pytest.mark.only(
    "postgres-jwt", "postgres-opaque", reason="the embedded default has no Redis to lose"
)
FALLBACKS = "authsvc_fallbacks_total"
FAILURES = ["stopped", "killed", "frozen"]


class Failure:
    """Takes Redis away, in one way."""

    def __init__(self, redis: RedisServer, how: str) -> None:
        ways: dict[str, Callable[[], None]] = {
            "stopped": redis.stop,
            "killed": redis.kill,
            "frozen": redis.freeze,
        }
        self.happen = ways[how]
        self.repair = redis.start


@pytest.fixture(params=FAILURES)
async def failure(request: pytest.FixtureRequest, redis: RedisServer, stack: Stack) -> AsyncIterator[Failure]:
    """One way for Redis to fail; it is back when the test is over."""
    yield Failure(redis, request.param)
    redis.start()
    # The next test begins with a connection of its own, not with one that died here.
    assert stack.redis is not None
    await stack.redis.connection_pool.disconnect()


@pytest.fixture
async def impatient(service: Service, service_with: MakeService) -> Service:
    """The service as it comes, which waits for Redis for a quarter of a second."""
    await service.add_account()
    return await service_with(redis_timeout_seconds=0.25)


@pytest.mark.demand("V-10")
@pytest.mark.parametrize("by", ["logout", "revoke", "disabled client"])
async def test_what_ended_before_stays_dead_and_what_lived_stays_live(
    impatient: Service, caller: Registered, failure: Failure, by: str
) -> None:
    client = await impatient.add_client()
    ended, kept = await impatient.login(client), await impatient.login()
    if by == "logout":
        await impatient.as_user("POST", "/logout", ended["access_token"])
    elif by == "revoke":
        await impatient.post("/revoke", client, token=ended["access_token"])
    else:
        await impatient.stack.services.clients.disable(client.id)

    failure.happen()

    assert await impatient.is_live(kept["access_token"], caller)
    assert not await impatient.is_live(ended["access_token"], caller)
    assert (await impatient.as_user("GET", "/verify", ended["access_token"])).status_code == 401


@pytest.mark.demand("V-10")
@pytest.mark.parametrize("by", ["logout", "revoke"])
async def test_what_ends_meanwhile_is_dead_at_the_next_look(
    impatient: Service, caller: Registered, failure: Failure, by: str
) -> None:
    client = await impatient.add_client()
    ended, kept = await impatient.login(client), await impatient.login()
    failure.happen()

    if by == "logout":
        response = await impatient.as_user("POST", "/logout", ended["access_token"])
        assert response.status_code == 204
    else:
        response = await impatient.post("/revoke", client, token=ended["access_token"])
        assert response.status_code == 200

    assert not await impatient.is_live(ended["access_token"], caller)
    assert await impatient.is_live(kept["access_token"], caller)


async def test_users_still_log_in_refresh_and_log_out(impatient: Service, failure: Failure) -> None:
    failure.happen()

    tokens = await impatient.login()
    refreshed = await impatient.refresh(tokens["refresh_token"])
    assert refreshed.status_code == 200
    assert (await impatient.as_user("GET", "/me", refreshed.json()["access_token"])).status_code == 200
    logout = await impatient.post("/logout", refresh_token=tokens["refresh_token"])
    assert logout.status_code == 204
    refused = await impatient.refresh(refreshed.json()["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_a_password_still_changes_and_ends_the_other_sessions(
    impatient: Service, caller: Registered, failure: Failure
) -> None:
    mine, other = await impatient.login(), await impatient.login()
    failure.happen()

    response = await impatient.as_user(
        "POST",
        "/password",
        mine["access_token"],
        current_password=PASSWORD,
        new_password="another passphrase",
    )

    assert response.status_code == 204
    assert await impatient.is_live(mine["access_token"], caller)
    assert not await impatient.is_live(other["access_token"], caller)


async def test_readiness_says_degraded_and_ready_again_without_a_restart(
    impatient: Service, failure: Failure
) -> None:
    failure.happen()
    away = await impatient.http.get("/readyz")
    alive = await impatient.http.get("/healthz")
    failure.repair()
    back = await impatient.http.get("/readyz")

    assert (away.status_code, away.json()) == (
        200,
        {
            "status": "degraded",
            "database": "ok",
            "redis": "away",
            "redis_reason": "it cannot be reached, or not in time",
        },
    )
    assert alive.status_code == 200
    assert (back.status_code, back.json()) == (200, {"status": "ready", "database": "ok", "redis": "ok"})


async def test_checks_go_to_redis_again_when_it_is_back(
    impatient: Service, caller: Registered, failure: Failure
) -> None:
    token = (await impatient.login())["access_token"]
    asks_redis = impatient.issues_jwt
    before = await impatient.metric(FALLBACKS)

    failure.happen()
    assert await impatient.is_live(token, caller)
    assert await impatient.metric(FALLBACKS) == before + asks_redis

    failure.repair()
    await impatient.stack.look()
    assert await impatient.doors(token, caller) == LIVE
    assert await impatient.metric(FALLBACKS) == before + asks_redis


async def test_what_ends_after_the_return_is_dead_by_redis_alone(
    impatient: Service, caller: Registered, failure: Failure
) -> None:
    token = (await impatient.login())["access_token"]
    failure.happen()
    assert await impatient.is_live(token, caller)
    failure.repair()
    await impatient.stack.look()

    await impatient.as_user("POST", "/logout", token)

    before = await impatient.metric(FALLBACKS)
    assert await impatient.doors(token, caller) == DEAD
    assert await impatient.metric(FALLBACKS) == before


async def undelivered(service: Service) -> dict[str, int]:
    """How many denials of each kind Redis has still to hear of."""
    tables = [metadata.tables[name] for name in ("session", "denied_token")]
    async with service.transaction() as tx:
        return {
            table.name: (await tx.execute(sa.select(sa.func.count()).where(table.c.undelivered))).scalar_one()
            for table in tables
        }


async def test_a_denial_that_redis_did_not_hear_of_stays_marked(impatient: Service, failure: Failure) -> None:
    client = await impatient.add_client()
    heard, logged_out, revoked = [await impatient.login(client) for _ in range(3)]
    await impatient.as_user("POST", "/logout", heard["access_token"])
    await impatient.post("/revoke", client, token=heard["access_token"])
    assert await undelivered(impatient) == {"session": 0, "denied_token": 0}
    failure.happen()

    await impatient.as_user("POST", "/logout", logged_out["access_token"])
    await impatient.post("/revoke", client, token=revoked["access_token"])

    # An opaque token is revoked by its row alone.
    assert await undelivered(impatient) == {"session": 1, "denied_token": int(impatient.issues_jwt)}


async def test_a_redis_that_evicts_is_refused_at_start(service: Service, service_with: MakeService) -> None:
    redis = service.stack.redis
    assert redis is not None
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(OperatorError, match=r"allkeys-lru.*maxmemory-policy noeviction"):
            await service_with()
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")
