"""A refresh by what is remembered of its session and its client is as if both had been asked about."""

from datetime import timedelta

import pytest

from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.clock import START
from tests.fixtures.service import Json, Registered, Service
from tests.fixtures.statements import statements

WITH_REDIS = pytest.mark.only("postgres-jwt", "postgres-opaque", reason="else no client is remembered")


@pytest.fixture
async def app(service: Service) -> Registered:
    """A client that has two scopes by default, and authenticates."""
    return await service.add_client(default_scope="account read")


@pytest.fixture
async def refreshed(service: Service, app: Registered) -> Json:
    """The tokens of a session of *app* that was refreshed a moment ago, so that both are remembered."""
    await service.add_account()
    tokens = await service.login(client=app)
    return await service.refreshed(tokens["refresh_token"], app)


async def questions(service: Service) -> int:
    """How often Redis was asked about anything yet."""
    assert service.stack.redis is not None
    stats = await service.stack.redis.info("commandstats")
    return int(stats.get("cmdstat_mget", {"calls": 0})["calls"])


@WITH_REDIS
async def test_nobody_is_asked_about_what_is_remembered(
    service: Service, app: Registered, refreshed: Json
) -> None:
    before = await questions(service)

    with statements(service.stack.services.stores.database) as sent:
        again = await service.refreshed(refreshed["refresh_token"], app)

    assert [text for text in sent if "UPDATE session" in text] == sent
    assert len(sent) == 1
    assert await questions(service) == before
    assert again["scope"] == "account read"


@WITH_REDIS
@pytest.mark.parametrize("by_hand", [False, True], ids=["elsewhere", "by hand"])
@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"disabled_at": START}, (401, "invalid_client")),
        ({"secret_sha256": b"x" * 32}, (401, "invalid_client")),
        ({"grants": frozenset({"password"})}, (400, "unauthorized_client")),
    ],
    ids=["disabled", "another secret", "without the grant"],
)
async def test_a_client_that_may_not_go_on_since_is_refused(
    service: Service,
    service_with: MakeService,
    app: Registered,
    refreshed: Json,
    change: Json,
    *,
    refusal: tuple[int, str],
    by_hand: bool,
) -> None:
    await changed(service, service_with, app, change, by_hand=by_hand)
    before = await service.rows()

    response = await service.refresh(refreshed["refresh_token"], app)

    assert_oauth_error(response, *refusal)
    assert await service.rows() == before


async def changed(
    service: Service, service_with: MakeService, app: Registered, change: Json, *, by_hand: bool
) -> None:
    """By another instance, which commits and tells Redis; or by who tells nobody."""
    if by_hand:
        columns = {name: " ".join(value) if name == "grants" else value for name, value in change.items()}
        await service.alter("client", **columns, version=2)
    else:
        await (await service_with()).stack.services.clients.change(app.id, **change)


@WITH_REDIS
async def test_a_client_disabled_by_hand_alone_is_refused(
    service: Service, app: Registered, refreshed: Json
) -> None:
    await service.alter("client", disabled_at=START)

    response = await service.refresh(refreshed["refresh_token"], app)

    assert_oauth_error(response, 401, "invalid_client")


@WITH_REDIS
async def test_a_scope_taken_from_the_client_since_is_not_granted_again(
    service: Service, service_with: MakeService, app: Registered, refreshed: Json
) -> None:
    await (await service_with()).stack.services.clients.change(
        app.id, scope=frozenset({"account"}), default_scope=frozenset({"account"})
    )

    again = await service.refreshed(refreshed["refresh_token"], app)

    assert again["scope"] == "account"


@WITH_REDIS
async def test_a_secret_is_compared_with_what_is_remembered(
    service: Service, app: Registered, refreshed: Json
) -> None:
    before = await service.rows()

    response = await service.refresh(refreshed["refresh_token"], Registered(app.client, "another"))

    assert_oauth_error(response, 401, "invalid_client")
    assert await service.rows() == before
    await service.refreshed(refreshed["refresh_token"], app)


@WITH_REDIS
async def test_an_old_secret_refreshes_in_its_overlap_and_no_longer(
    service: Service, app: Registered, refreshed: Json
) -> None:
    await service.stack.services.clients.rotate_secret(app.id, overlap=timedelta(minutes=5))
    for _ in range(3):
        refreshed = await service.refreshed(refreshed["refresh_token"], app)

    service.clock.advance(minutes=6)  # both are still remembered

    assert_oauth_error(await service.refresh(refreshed["refresh_token"], app), 401, "invalid_client")


@WITH_REDIS
async def test_a_confidential_client_that_is_remembered_must_be_named(
    service: Service, refreshed: Json
) -> None:
    assert_oauth_error(await service.refresh(refreshed["refresh_token"]), 401, "invalid_client")


@WITH_REDIS
async def test_a_scope_asked_for_by_name_is_granted_or_refused(
    service: Service, app: Registered, refreshed: Json
) -> None:
    refused = await service.refresh(refreshed["refresh_token"], app, scope="write")
    narrower = await service.refreshed(refreshed["refresh_token"], app, scope="read")

    assert_oauth_error(refused, 400, "invalid_scope")
    assert narrower["scope"] == "read"
