"""P11: what Redis did not hear of is marked, delivered by any instance, and unmarked only where it counts."""

from collections.abc import AsyncIterator, Iterator

import pytest

from authsvc.storage import denial_rows
from authsvc.storage.denial import Denial
from authsvc.storage.denylist_upkeep import DenylistUpkeep
from authsvc.storage.redis_address import RedisAddress
from authsvc.storage.redis_link import RedisLink
from authsvc.storage.redis_route import RedisRoute
from tests.conftest import MakeService
from tests.fixtures.clock import ManualClock
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import Json, Registered, Service
from tests.fixtures.stack import Stack, make_settings, migrate, running
from tests.fixtures.watched_denylist import undelivered

pytestmark = pytest.mark.only(
    "postgres-jwt", "postgres-opaque", reason="the embedded default has no Redis to tell"
)


@pytest.fixture(scope="session")
def own_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
async def stack(
    request: pytest.FixtureRequest, own_redis: RedisServer, postgres: PostgresServer
) -> AsyncIterator[Stack]:
    token_format = request.param.removeprefix("postgres-")
    postgres.create_database(f"delivered_{token_format}")
    settings = make_settings(
        postgres.url(f"delivered_{token_format}"), own_redis.url(1), token_format=token_format
    )
    await migrate(settings)
    async with running(settings, ManualClock()) as made:
        yield made


@pytest.fixture
def upkeep(service: Service) -> DenylistUpkeep:
    found = service.stack.services.stores.upkeep
    assert found is not None
    return found


async def entries(service: Service) -> set[str]:
    """The keys of the denylist, without its marker; what counts guesses is none of it."""
    assert service.stack.redis is not None
    keys = map(str, await service.stack.redis.keys())
    names = {key.removeprefix("b'{authsvc}:").rstrip("'") for key in keys}
    return {name for name in names if name != "marker" and not name.startswith("guesses:")}


@pytest.fixture
async def unheard(service: Service, signed_in: Json, own_redis: RedisServer) -> None:
    """A session, a token, a client and a key that were withdrawn while Redis hung."""
    client = await service.add_client()
    single = await service.login(client)
    own_redis.freeze()
    await service.as_user("POST", "/logout", signed_in["access_token"])
    await service.post("/revoke", client, token=single["access_token"])
    await service.stack.services.clients.disable(client.id)
    own_redis.thaw()


@pytest.mark.usefixtures("unheard")
async def test_what_redis_did_not_hear_of_is_delivered_by_another_instance(
    service: Service, service_with: MakeService
) -> None:
    (session, _) = await service.sessions()
    assert await undelivered(service) > 0

    other = await service_with()
    await other.stack.look()

    assert await undelivered(service) == 0
    delivered = await entries(service)
    assert f"sid:{session.id}" in delivered
    assert {name.partition(":")[0] for name in delivered} >= (
        {"sid", "client", "jti"} if service.issues_jwt else {"sid", "client"}
    )


async def test_a_mark_is_not_cleared_for_a_node_that_the_denylist_is_not_on(
    service: Service, signed_in: Json
) -> None:
    async with service.transaction() as tx:
        await denial_rows.record_node(tx, "another node")

    await service.as_user("POST", "/logout", signed_in["access_token"])

    assert await undelivered(service) == 1  # it was written, and may be lost with the node it was written to
    await service.stack.look()
    assert await undelivered(service) == 0


async def test_a_new_connection_hears_again_what_was_denied_a_moment_ago(
    service: Service, signed_in: Json, upkeep: DenylistUpkeep
) -> None:
    """A replica may have taken over that missed it, with the marker and all."""
    (session,) = await service.sessions()
    await service.as_user("POST", "/logout", signed_in["access_token"])
    assert service.stack.redis is not None
    await service.stack.redis.delete(f"{{authsvc}}:sid:{session.id}")
    await service.stack.look()
    assert await entries(service) == set()  # nothing tells that it is gone, on this connection

    await upkeep.denylist.checks.close()
    await service.stack.look()

    assert f"sid:{session.id}" in await entries(service)


async def test_what_is_long_over_is_neither_loaded_nor_delivered(service: Service, signed_in: Json) -> None:
    await service.as_user("POST", "/logout", signed_in["access_token"])
    assert service.stack.redis is not None
    await service.stack.redis.flushdb()

    service.clock.advance(minutes=7)  # the access token's five, a minute of safety, and one more
    await service.stack.look()

    assert await entries(service) == set()


async def test_an_older_state_of_a_client_does_not_replace_a_newer_one(
    service: Service, caller: Registered, upkeep: DenylistUpkeep
) -> None:
    client = await service.add_client()
    await service.add_account()
    token = (await service.login(client))["access_token"]
    clients = service.stack.services.clients
    await clients.disable(client.id)
    await clients.enable(client.id)
    stale = Denial.of_client(client.id, version=2, is_disabled=True, until=service.clock())

    await upkeep.denylist.deny([stale], now=service.clock())

    assert await service.is_live(token, caller)


async def test_a_redis_that_takes_no_writes_is_not_believed(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    redis = service.stack.redis
    assert redis is not None
    await redis.config_set("maxmemory", "1")  # it answers, and refuses every SET
    try:
        await service.as_user("POST", "/logout", signed_in["access_token"])
        await service.stack.look()

        assert not await service.is_live(signed_in["access_token"], caller)
        assert await undelivered(service) == 1
    finally:
        await redis.config_set("maxmemory", "0")
    await service.stack.look()
    assert await undelivered(service) == 0
    assert (await service.http.get("/readyz")).json()["status"] == "ready"


async def test_what_is_written_to_another_node_is_not_taken_for_delivered(
    service_with: MakeService, service: Service, signed_in: Json, caller: Registered
) -> None:
    other = await service_with()
    upkeep = other.stack.services.stores.upkeep
    assert upkeep is not None
    elsewhere = RedisServer()
    elsewhere.start()
    try:
        lost = RedisLink(RedisRoute(RedisAddress.read(elsewhere.url(1), timeout_seconds=2)))
        upkeep.denylist.writes = lost
        await other.as_user("POST", "/logout", signed_in["access_token"])
        await other.stack.look()

        assert not await other.is_live(signed_in["access_token"], caller)
        assert await undelivered(other) == 1
        await lost.close()
    finally:
        elsewhere.close()
    await service.stack.look()
    assert await undelivered(service) == 0
    assert not await service.is_live(signed_in["access_token"], caller)


async def test_what_an_instance_without_redis_ends_reaches_those_with_one(
    service: Service, service_with: MakeService, signed_in: Json, caller: Registered
) -> None:
    without = await service_with(redis_url=None)

    await without.as_user("POST", "/logout", signed_in["access_token"])
    await service.stack.look()

    assert not await service.is_live(signed_in["access_token"], caller)


async def test_redis_is_not_believed_before_it_has_heard_of_everything(
    service: Service, service_with: MakeService, caller: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.add_account()
    sessions = [await service.login() for _ in range(5)]
    without = await service_with(redis_url=None)
    for tokens in sessions:
        await without.as_user("POST", "/logout", tokens["access_token"])
    # The question for the marks is made when an instance is, which looks at once.
    monkeypatch.setattr(denial_rows, "PORTION", 2)
    late = await service_with()

    alive = [await late.is_live(tokens["access_token"], caller) for tokens in sessions]
    assert alive == [False] * 5
