"""POST /login."""

import pytest

from tests.fixtures.answers import assert_oauth_error
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


async def test_a_login_without_a_client_is_one_of_the_client_public(
    service: Service, caller: Registered
) -> None:
    await service.add_account()

    tokens = await service.login()

    assert (await service.introspect(tokens["access_token"], caller))["client_id"] == "public"


async def test_the_grant_type_may_be_left_out_or_be_password(service: Service) -> None:
    await service.add_account()

    assert await service.login(grant_type="password")
    assert await service.login(grant_type="")


@pytest.mark.demand("O-14")
async def test_a_login_by_another_grant_type_is_refused(service: Service) -> None:
    await service.add_account()

    response = await service.post(
        "/login", grant_type="client_credentials", username=USERNAME, password=PASSWORD
    )

    assert_oauth_error(response, 400, "unsupported_grant_type")


@pytest.mark.demand("O-15")
@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param(USERNAME, "a wrong password", id="wrong password"),
        pytest.param("nobody@example.com", PASSWORD, id="unknown username"),
        pytest.param("no body\n", PASSWORD, id="a name nobody can have"),
        pytest.param(USERNAME, "\x07" * 20, id="a password nobody can have"),
        pytest.param(PASSWORD, USERNAME, id="the wrong way round"),
    ],
)
async def test_wrong_credentials_are_invalid_grant_and_start_no_session(
    service: Service, username: str, password: str
) -> None:
    await service.add_account()
    before = await service.rows()

    response = await service.post("/login", username=username, password=password)

    assert_oauth_error(response, 400, "invalid_grant")
    assert "www-authenticate" not in response.headers
    assert await service.rows() == before


async def test_unknown_disabled_and_wrong_are_the_same_answer(service: Service) -> None:
    account = await service.add_account()
    await service.add_account("disabled")
    await service.stack.services.accounts.disable(await service.stack.services.accounts.named("disabled"))

    answers = [
        await service.post("/login", username=username, password=password)
        for username, password in (
            (account.username, "a wrong password"),
            ("nobody", PASSWORD),
            ("disabled", PASSWORD),
        )
    ]

    for answer in answers:
        assert_oauth_error(answer, 400, "invalid_grant")
        del answer.headers["x-request-id"]
    assert len({(answer.text, str(answer.headers)) for answer in answers}) == 1


@pytest.mark.demand("O-26")
async def test_every_login_has_tokens_of_its_own(service: Service) -> None:
    await service.add_account()

    logins = [await service.login() for _ in range(3)]

    assert len({login["access_token"] for login in logins}) == 3
    assert len({login["refresh_token"] for login in logins}) == 3


async def test_a_session_keeps_where_its_login_came_from(service: Service) -> None:
    await service.add_account()
    response = await service.http.post(
        "/login",
        data={"username": USERNAME, "password": PASSWORD},
        headers={b"User-Agent": ("an agent\t" + "é" * 300).encode()},
    )

    sessions = await service.as_user("GET", "/sessions", response.json()["access_token"])

    (session,) = sessions.json()["sessions"]
    assert session["address"] == "192.0.2.10"
    assert len(session["user_agent"]) == 200
    assert session["user_agent"].isprintable()
