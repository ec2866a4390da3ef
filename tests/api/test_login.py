"""POST /login."""

import pytest

from tests.fixtures.service import PASSWORD, USERNAME, Registered, Service


@pytest.mark.demand("O-01", "O-02", "O-03", "O-04", "O-05")
async def test_a_login_answers_with_both_tokens_that_no_cache_may_keep(service: Service) -> None:
    await service.add_account()

    response = await service.post("/login", username=USERNAME, password=PASSWORD)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    body = response.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "account")
    assert (body["access_token"].count(".") == 2) is service.issues_jwt


async def test_a_logged_in_user_logs_out_and_is_out(service: Service, caller: Registered) -> None:
    await service.add_account()
    tokens = await service.login()
    assert await service.is_live(tokens["access_token"], caller)
    assert (await service.as_user("GET", "/me", tokens["access_token"])).json()["username"] == USERNAME
    refreshed = (await service.refresh(tokens["refresh_token"])).json()
    assert refreshed["refresh_token"] != tokens["refresh_token"]

    response = await service.as_user("POST", "/logout", tokens["access_token"])

    assert response.status_code == 204
    assert not await service.is_live(tokens["access_token"], caller)
    assert not await service.is_live(refreshed["access_token"], caller)
    assert (await service.as_user("POST", "/logout", tokens["access_token"])).status_code == 204
    assert (await service.refresh(refreshed["refresh_token"])).json()["error"] == "invalid_grant"
