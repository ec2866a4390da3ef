"""POST /logout: by access token, of one session, the others or all."""

import pytest

from tests.fixtures.service import DEAD, LIVE, Registered, Service

INVALID_TOKEN = 'error="invalid_token"'


@pytest.mark.demand("S-06")
@pytest.mark.parametrize("scope", ["", "session"])
async def test_a_logout_ends_its_own_session_and_no_other(
    service: Service, caller: Registered, scope: str
) -> None:
    await service.add_account()
    mine, other = await service.login(), await service.login()
    refreshed = (await service.refresh(mine["refresh_token"])).json()

    response = await service.as_user("POST", "/logout", mine["access_token"], scope=scope)

    assert response.status_code == 204
    assert response.content == b""
    assert await service.doors(mine["access_token"], caller) == DEAD
    assert await service.doors(refreshed["access_token"], caller) == DEAD
    assert (await service.refresh(refreshed["refresh_token"])).json()["error"] == "invalid_grant"
    assert await service.doors(other["access_token"], caller) == LIVE
    assert (await service.refresh(other["refresh_token"])).status_code == 200


async def test_a_logout_of_the_others_keeps_its_own_session(service: Service, caller: Registered) -> None:
    await service.add_account()
    mine, first, second = [await service.login() for _ in range(3)]

    response = await service.as_user("POST", "/logout", mine["access_token"], scope="others")

    assert response.status_code == 204
    assert await service.doors(first["access_token"], caller) == DEAD
    assert await service.doors(second["access_token"], caller) == DEAD
    assert await service.doors(mine["access_token"], caller) == LIVE
    assert (await service.refresh(mine["refresh_token"])).status_code == 200


@pytest.mark.demand("S-07")
async def test_a_logout_of_all_ends_every_session_of_that_user_and_of_nobody_else(
    service: Service, caller: Registered
) -> None:
    app = await service.add_client()
    await service.add_account()
    await service.add_account("grace@example.com")
    mine, elsewhere = await service.login(), await service.login(app)
    hers = await service.login(username="grace@example.com")
    own = await service.client_token(app)

    response = await service.as_user("POST", "/logout", mine["access_token"], scope="all")

    assert response.status_code == 204
    assert await service.doors(mine["access_token"], caller) == DEAD
    assert await service.doors(elsewhere["access_token"], caller) == DEAD
    assert (await service.refresh(elsewhere["refresh_token"], app)).json()["error"] == "invalid_grant"
    assert await service.doors(hers["access_token"], caller) == LIVE
    assert await service.is_live(own, caller)
    assert (await service.refresh(hers["refresh_token"])).status_code == 200


@pytest.mark.parametrize("scope", ["session", "others", "all"])
async def test_a_clients_own_token_has_no_user_to_log_out(
    service: Service, caller: Registered, scope: str
) -> None:
    token = await service.client_token(await service.add_client(), scope="account")

    response = await service.as_user("POST", "/logout", token, scope=scope)

    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert await service.is_live(token, caller)


@pytest.mark.parametrize("scope", ["others", "all"])
async def test_ending_other_sessions_needs_the_scope_account(
    service: Service, caller: Registered, scope: str
) -> None:
    client = await service.add_client()
    await service.add_account()
    mine, other = await service.login(client, scope="read"), await service.login(client)

    response = await service.as_user("POST", "/logout", mine["access_token"], scope=scope)

    assert response.status_code == 403
    assert 'scope="account"' in response.headers["www-authenticate"]
    assert await service.doors(mine["access_token"], caller) == LIVE
    assert await service.doors(other["access_token"], caller) == LIVE


async def test_ending_ones_own_session_needs_no_scope(service: Service, caller: Registered) -> None:
    client = await service.add_client()
    await service.add_account()
    token = (await service.login(client, scope="read"))["access_token"]

    response = await service.as_user("POST", "/logout", token)

    assert response.status_code == 204
    assert await service.doors(token, caller) == DEAD


async def test_logging_out_again_is_204_until_the_token_expires_then_401(service: Service) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    await service.as_user("POST", "/logout", token)
    ended = await service.contents()

    service.clock.advance(seconds=299)
    again = await service.as_user("POST", "/logout", token)
    assert again.status_code == 204
    assert await service.contents() == ended

    service.clock.advance(seconds=1)
    expired = await service.as_user("POST", "/logout", token)
    assert expired.status_code == 401
    assert INVALID_TOKEN in expired.headers["www-authenticate"]


@pytest.mark.parametrize("scope", ["others", "all"])
async def test_a_token_of_an_ended_session_ends_no_others(
    service: Service, caller: Registered, scope: str
) -> None:
    await service.add_account()
    ended, other = await service.login(), await service.login()
    await service.as_user("POST", "/logout", ended["access_token"])

    response = await service.as_user("POST", "/logout", ended["access_token"], scope=scope)

    assert response.status_code == 401
    assert INVALID_TOKEN in response.headers["www-authenticate"]
    assert await service.doors(other["access_token"], caller) == LIVE


@pytest.mark.parametrize("also_ended", [False, True], ids=["its session lives", "its session has ended"])
async def test_a_revoked_access_token_logs_nobody_out(
    service: Service, caller: Registered, also_ended: bool
) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)
    later = (await service.refresh(tokens["refresh_token"], client)).json()
    await service.post("/revoke", client, token=tokens["access_token"])
    if also_ended:
        await service.as_user("POST", "/logout", later["access_token"])

    response = await service.as_user("POST", "/logout", tokens["access_token"])

    assert response.status_code == 401
    assert INVALID_TOKEN in response.headers["www-authenticate"]
    assert await service.doors(later["access_token"], caller) == (DEAD if also_ended else LIVE)


@pytest.mark.parametrize("scope", ["everything", "ALL", "session others", "*"])
async def test_an_unknown_scope_is_refused_and_nobody_is_logged_out(
    service: Service, caller: Registered, scope: str
) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]

    response = await service.as_user("POST", "/logout", token, scope=scope)

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert await service.doors(token, caller) == LIVE
