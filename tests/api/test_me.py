"""GET /me."""

import pytest

from tests.fixtures.service import USERNAME, Service


@pytest.mark.parametrize("scope", ["account", "read", "account read"])
async def test_it_says_who_the_token_speaks_for(service: Service, scope: str) -> None:
    account = await service.add_account()
    client = await service.add_client(may_introspect=True)
    token = (await service.login(client, scope=scope))["access_token"]

    response = await service.as_user("GET", "/me", token)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "sub": str(account.id),
        "username": USERNAME,
        "scope": scope,
        "client_id": client.id,
        "session_id": (await service.introspect(token, client))["sid"],
    }


async def test_a_clients_own_token_is_nobody(service: Service) -> None:
    token = await service.client_token(await service.add_client())

    response = await service.as_user("GET", "/me", token)

    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]


async def test_a_name_outside_ascii_is_shown_as_it_is(service: Service) -> None:
    await service.add_account("用户")
    token = (await service.login(username="用户"))["access_token"]

    response = await service.as_user("GET", "/me", token)

    assert response.json()["username"] == "用户"


async def test_every_session_has_its_own_id(service: Service) -> None:
    await service.add_account()
    tokens = [(await service.login())["access_token"] for _ in range(3)]

    seen = {(await service.as_user("GET", "/me", token)).json()["session_id"] for token in tokens}

    assert len(seen) == 3
