"""POST /password."""

import httpx
import pytest

from tests.fixtures.service import DEAD, LIVE, PASSWORD, USERNAME, Registered, Service

NEW = "another correct horse battery"


async def change(service: Service, token: str, current: str = PASSWORD, new: str = NEW) -> httpx.Response:
    return await service.as_user("POST", "/password", token, current_password=current, new_password=new)


async def log_in_with(service: Service, password: str) -> int:
    response = await service.post("/login", username=USERNAME, password=password)
    return response.status_code


@pytest.mark.demand("S-08")
async def test_a_change_ends_every_other_session_and_keeps_this_one(
    service: Service, caller: Registered
) -> None:
    app = await service.add_client()
    await service.add_account()
    await service.add_account("grace@example.com")
    mine, other, elsewhere = await service.login(), await service.login(), await service.login(app)
    hers = await service.login(username="grace@example.com")

    response = await change(service, mine["access_token"])

    assert response.status_code == 204
    assert response.content == b""
    for ended, client in ((other, None), (elsewhere, app)):
        assert await service.doors(ended["access_token"], caller) == DEAD
        assert (await service.refresh(ended["refresh_token"], client)).json()["error"] == "invalid_grant"
    for kept in (mine, hers):
        assert await service.doors(kept["access_token"], caller) == LIVE
        assert (await service.refresh(kept["refresh_token"])).status_code == 200


async def test_afterwards_only_the_new_password_logs_in(service: Service) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]

    await change(service, token)

    assert await log_in_with(service, PASSWORD) == 400
    assert await log_in_with(service, NEW) == 200


@pytest.mark.parametrize("current", ["wrong", PASSWORD + " ", PASSWORD.upper(), PASSWORD[:-1]])
async def test_a_wrong_current_password_is_403_and_changes_nothing(service: Service, current: str) -> None:
    await service.add_account()
    token, other = (await service.login())["access_token"], (await service.login())["access_token"]
    before = await service.contents()

    response = await change(service, token, current=current)

    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == "The current password is wrong."
    assert await service.contents() == before
    assert (await service.as_user("GET", "/me", other)).status_code == 200


@pytest.mark.parametrize(
    "new", ["short", "fourteen chars", "x" * 1025, "a password with\x07 a bell"], ids=lambda new: new[:15]
)
async def test_a_new_password_that_is_not_acceptable_is_422_and_changes_nothing(
    service: Service, new: str
) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    before = await service.contents()

    response = await change(service, token, new=new)

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert new not in response.text
    assert await service.contents() == before


@pytest.mark.parametrize(
    "form",
    [
        {"current_password": PASSWORD},
        {"new_password": NEW},
        {"current_password": PASSWORD, "new_password": ""},
        {"current_password": "", "new_password": NEW},
    ],
    ids=["no new", "no current", "empty new", "empty current"],
)
async def test_both_passwords_are_needed(service: Service, form: dict[str, str]) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    before = await service.contents()

    response = await service.as_user("POST", "/password", token, **form)

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert PASSWORD not in response.text
    assert NEW not in response.text
    assert await service.contents() == before


@pytest.mark.parametrize("whose", ["a user's without the scope", "a client's own"])
async def test_it_takes_a_users_token_with_the_scope_account(service: Service, whose: str) -> None:
    client = await service.add_client()
    await service.add_account()
    if whose == "a client's own":
        token = await service.client_token(client, scope="account")
    else:
        token = (await service.login(client, scope="read"))["access_token"]
    before = await service.contents()

    response = await change(service, token)

    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert await service.contents() == before


async def test_a_session_that_has_ended_changes_nothing(service: Service) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    await service.as_user("POST", "/logout", token)

    response = await change(service, token)

    assert response.status_code == 401
    assert await log_in_with(service, PASSWORD) == 200


@pytest.mark.demand("S-09")
async def test_a_disabled_account_changes_nothing_and_no_longer_gets_in(
    service: Service, caller: Registered
) -> None:
    account = await service.add_account()
    tokens = await service.login()
    await service.stack.services.accounts.disable(account)

    assert await service.doors(tokens["access_token"], caller) == DEAD
    assert (await change(service, tokens["access_token"])).status_code == 401
    refused = await service.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    login = await service.post("/login", username=USERNAME, password=PASSWORD)
    assert (login.status_code, login.json()["error"]) == (400, "invalid_grant")
