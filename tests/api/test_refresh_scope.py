"""POST /refresh with `scope`: it narrows one access token, and never widens."""

import pytest

from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import Json, Registered, Service


@pytest.fixture
async def client(service: Service) -> Registered:
    """A client that may have `account read write`, and an account to log in with."""
    await service.add_account()
    return await service.add_client()


@pytest.fixture
async def whole(service: Service, client: Registered) -> Json:
    """The tokens of a session with all that its client may have."""
    return await service.login(client, scope="account read write")


@pytest.mark.demand("O-19")
async def test_a_narrowed_refresh_narrows_its_access_token_and_not_the_session(
    service: Service, client: Registered, whole: Json, caller: Registered
) -> None:
    narrowed = await service.refreshed(whole["refresh_token"], client, scope="read")
    assert narrowed["scope"] == "read"
    assert (await service.introspect(narrowed["access_token"], caller))["scope"] == "read"
    assert (await service.introspect(narrowed["refresh_token"], client))["scope"] == "account read write"

    after = await service.refreshed(narrowed["refresh_token"], client)

    assert after["scope"] == "account read write"
    assert (await service.introspect(after["access_token"], caller))["scope"] == "account read write"


async def test_a_repeat_may_ask_for_another_scope_than_the_rotation_did(
    service: Service, client: Registered, whole: Json
) -> None:
    narrowed = await service.refreshed(whole["refresh_token"], client, scope="read")
    repeated = await service.refreshed(whole["refresh_token"], client, scope="write read")

    assert (narrowed["scope"], repeated["scope"]) == ("read", "read write")
    assert narrowed["refresh_token"] == repeated["refresh_token"]


@pytest.mark.demand("O-18")
@pytest.mark.parametrize("scope", ["write", "account read write", "account admin", "introspect", "Read"])
async def test_a_refresh_never_widens_what_the_login_was_granted(
    service: Service, client: Registered, scope: str
) -> None:
    """`write` is a scope the client may have; this session was not granted it."""
    tokens = await service.login(client, scope="account read")

    refused = await service.refresh(tokens["refresh_token"], client, scope=scope)

    assert_oauth_error(refused, 400, "invalid_scope")
    assert (await service.refreshed(tokens["refresh_token"], client))["scope"] == "account read"


async def test_a_scope_since_taken_from_the_client_is_not_granted_again(
    service: Service, client: Registered, whole: Json
) -> None:
    await service.stack.services.clients.change(client.id, scope=frozenset({"account", "read"}))

    refused = await service.refresh(whole["refresh_token"], client, scope="read write")
    answer = await service.refreshed(whole["refresh_token"], client)

    assert_oauth_error(refused, 400, "invalid_scope")
    assert answer["scope"] == "account read"


async def test_a_scope_given_back_to_the_client_is_granted_again(
    service: Service, client: Registered, whole: Json
) -> None:
    await service.stack.services.clients.change(client.id, scope=frozenset({"account"}))
    without = await service.refreshed(whole["refresh_token"], client)
    await service.stack.services.clients.change(client.id, scope=client.client.scope)

    assert without["scope"] == "account"
    assert (await service.refreshed(without["refresh_token"], client))["scope"] == "account read write"
