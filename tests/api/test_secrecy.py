"""No secret and no token reaches a log, a metric, an error's body or a URL."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import MakeService
from tests.fixtures.full_pool import every_connection_in_use
from tests.fixtures.logs import Written, written
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service

NEW_PASSWORD = "an entirely new password"
WRONG_PASSWORD = "a password with a typo"


@pytest.fixture(params=["json", "console"])
def logs(request: pytest.FixtureRequest) -> Iterator[Written]:
    with written(request.param, "debug") as collected:
        yield collected


def assert_nowhere(secrets: dict[str, str], *texts: str) -> None:
    for text in texts:
        found = [name for name, secret in secrets.items() if secret in text]
        assert not found, f"{found} in: {text[:2000]}"


async def a_whole_life(service: Service, client: Registered, caller: Registered) -> Json:
    """Every request there is, with right and wrong secrets; the secrets by name."""
    tokens = await service.login(client)
    refreshed = (await service.refresh(tokens["refresh_token"], client)).json()
    own = await service.client_token(client)
    wrong_client = Registered(client.client, "A" * 43)
    await service.post("/login", client, username=USERNAME, password=WRONG_PASSWORD)
    # In the wrong fields, as people type them.
    await service.post("/login", client, username=PASSWORD, password=USERNAME)
    await service.post("/login", client_id=client.secret, username=USERNAME, password=PASSWORD)
    await service.post("/login", client, username=USERNAME, password=PASSWORD, scope=PASSWORD)
    await service.post("/token", client, grant_type=tokens["refresh_token"])
    await service.http.get("/verify", params={"access_token": own, "scope": own})
    await service.http.get(f"/sessions/{own}")
    await service.refresh("asvc_rt_" + tokens["refresh_token"][8:][::-1], client)
    await service.introspect(refreshed["access_token"], caller)
    await service.introspect(refreshed["refresh_token"], caller)
    await service.post("/introspect", wrong_client, token=refreshed["access_token"])
    await service.as_user("GET", "/me", refreshed["access_token"])
    await service.as_user(
        "POST",
        "/password",
        refreshed["access_token"],
        current_password=PASSWORD,
        new_password=NEW_PASSWORD,
    )
    service.clock.advance(seconds=11)
    await service.refresh(tokens["refresh_token"], client)
    await service.post("/revoke", client, token=own)
    await service.as_user("POST", "/logout", refreshed["access_token"])
    return {
        "password": PASSWORD,
        "new password": NEW_PASSWORD,
        "wrong password": WRONG_PASSWORD,
        "client's secret": client.secret,
        "wrong secret": wrong_client.secret,
        "caller's secret": caller.secret,
        "access token": tokens["access_token"],
        "second access token": refreshed["access_token"],
        "client's token": own,
        "refresh token": tokens["refresh_token"],
        "second refresh token": refreshed["refresh_token"],
    }


@pytest.mark.demand("A-19")
async def test_no_secret_reaches_the_log_or_a_metric(
    service: Service, caller: Registered, logs: Written
) -> None:
    await service.add_account()
    client = await service.add_client(scope="account read")

    secrets = await a_whole_life(service, client, caller)

    metrics = (await service.http.get("/metrics")).text
    assert_nowhere(secrets, logs.text, metrics)
    for event in ("login_succeeded", "login_failed", "refresh_replayed", "password_changed"):
        assert event in logs.text


async def test_not_even_a_username_reaches_a_metric(service: Service, caller: Registered) -> None:
    await service.add_account()
    await a_whole_life(service, await service.add_client(), caller)

    metrics = (await service.http.get("/metrics")).text

    assert USERNAME not in metrics
    assert caller.id not in metrics


class Exploding:
    """An operation that fails unexpectedly, its secrets in local variables."""

    async def exchange(self, *_positional: Any, **named: Any) -> None:
        secrets = dict(named)
        raise RuntimeError("unexpected, with so many parameters: " + str(len(secrets)))


async def test_a_traceback_in_the_log_shows_no_secret(service_with: MakeService, logs: Written) -> None:
    broken = await service_with()
    grant: Any = Exploding()
    broken.stack.app.state.services = replace(broken.stack.services, password_grant=grant)

    response = await broken.post("/login", username=USERNAME, password=PASSWORD)

    assert response.status_code == 500
    assert "unexpected_error" in logs.text
    assert "RuntimeError" in logs.text
    assert_nowhere({"password": PASSWORD}, logs.text, response.text)


async def test_an_error_of_the_database_shows_no_secret(service_with: MakeService, logs: Written) -> None:
    narrow = await service_with(database_pool_size=1, database_timeout_seconds=0.5)
    secrets = {"password": PASSWORD, "client's secret": "A" * 43}

    async with every_connection_in_use(narrow.stack.services.stores.database):
        response = await narrow.http.post(
            "/login", data={"username": USERNAME, "password": PASSWORD}, auth=("a-client", "A" * 43)
        )

    assert response.status_code == 503
    assert_nowhere(secrets, logs.text, response.text)


async def test_no_error_repeats_a_token(service: Service, caller: Registered) -> None:
    await service.add_account()
    tokens = await service.login()
    await service.as_user("POST", "/logout", tokens["access_token"])

    for token in (tokens["access_token"], tokens["refresh_token"]):
        for response in (
            await service.as_user("GET", "/me", token),
            await service.as_user("GET", "/verify", token),
            await service.as_user("DELETE", f"/sessions/{token}", token),
            await service.refresh(token),
            await service.post("/introspect", caller, token=token),
            await service.post("/revoke", caller, token=token, token_type_hint=token),
            await service.http.get(f"/{token}"),
            await service.http.get("/me", params={"access_token": token}),
        ):
            assert_nowhere({"token": token}, response.text, str(response.headers))


async def test_no_answer_but_a_grant_holds_a_token(service: Service, caller: Registered) -> None:
    await service.add_account()
    tokens = await service.login()
    secrets = {"access token": tokens["access_token"], "refresh token": tokens["refresh_token"]}

    for path in ("/me", "/sessions", "/verify"):
        response = await service.as_user("GET", path, tokens["access_token"])
        assert response.status_code == 200
        assert_nowhere(secrets, response.text, str(response.headers))
    assert_nowhere(secrets, str(await service.introspect(tokens["access_token"], caller)))
