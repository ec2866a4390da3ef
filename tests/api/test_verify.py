"""GET /verify, as a proxy uses it: a status, and headers that say for whom."""

import httpx
import pytest

from authsvc.storage import accounts
from tests.fixtures.service import USERNAME, Registered, Service

HEADERS = ("X-Auth-User", "X-Auth-Subject", "X-Auth-Client", "X-Auth-Scope", "X-Auth-Session")


async def verify(service: Service, token: str, query: str = "", **headers: str) -> httpx.Response:
    return await service.http.get(f"/verify{query}", headers=headers | {"Authorization": f"Bearer {token}"})


def said(response: httpx.Response) -> dict[str, str | None]:
    return {name: response.headers.get(name) for name in HEADERS}


async def test_a_live_user_token_is_let_through_with_every_header(service: Service) -> None:
    account = await service.add_account()
    client = await service.add_client()
    token = (await service.login(client, scope="read account"))["access_token"]
    session_id = (await service.as_user("GET", "/me", token)).json()["session_id"]

    response = await verify(service, token)

    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["cache-control"] == "no-store"
    assert said(response) == {
        "X-Auth-User": USERNAME,
        "X-Auth-Subject": str(account.id),
        "X-Auth-Client": client.id,
        "X-Auth-Scope": "account read",
        "X-Auth-Session": session_id,
    }


async def test_what_is_unknown_of_a_clients_own_token_is_sent_empty(service: Service) -> None:
    client = await service.add_client(default_scope="")
    token = await service.client_token(client)

    response = await verify(service, token)

    assert response.status_code == 200
    assert said(response) == {
        "X-Auth-User": "",
        "X-Auth-Subject": client.id,
        "X-Auth-Client": client.id,
        "X-Auth-Scope": "",
        "X-Auth-Session": "",
    }


@pytest.mark.parametrize(
    ("username", "header"),
    [
        pytest.param("ada@example.com", "ada@example.com", id="an address"),
        pytest.param("a b", "a b", id="a space"),
        pytest.param("100%", "100%25", id="a percent sign"),
        pytest.param("a%20b", "a%2520b", id="a percent escape"),
        pytest.param("用户", "%E7%94%A8%E6%88%B7", id="chinese"),
        pytest.param("josé", "jos%C3%A9", id="latin"),
        pytest.param("~!#$&'()*+,/:;=?@[]\\\"<>^`{|}", "~!#$&'()*+,/:;=?@[]\\\"<>^`{|}", id="other ascii"),
        pytest.param("a\x7fb\nc", "a%7Fb%0Ac", id="controls"),
    ],
)
async def test_a_name_is_written_so_that_it_fits_a_header_and_can_be_read_back(
    service: Service, username: str, header: str
) -> None:
    account = await service.add_account("plain")
    async with service.transaction() as tx:
        await accounts.rename(tx, account.id, username=username, username_key="plain")
    token = (await service.login(username="plain"))["access_token"]

    response = await verify(service, token)

    assert response.status_code == 200
    assert response.headers["x-auth-user"] == header


async def test_a_percent_sign_in_a_scope_is_escaped_too(service: Service) -> None:
    client = await service.add_client(scope="50% read", default_scope="50% read")
    await service.add_account()

    response = await verify(service, (await service.login(client))["access_token"])

    assert response.headers["x-auth-scope"] == "50%25 read"


@pytest.mark.parametrize("demanded", ["", "account", "read", "read account", "account read"])
async def test_a_token_with_the_scopes_demanded_is_let_through(service: Service, demanded: str) -> None:
    client = await service.add_client()
    await service.add_account()
    token = (await service.login(client, scope="account read"))["access_token"]

    response = await verify(service, token, f"?scope={demanded}")

    assert response.status_code == 200
    assert response.headers["x-auth-scope"] == "account read"


@pytest.mark.parametrize(
    "demanded",
    [
        "scope=write",
        "scope=account%20write",
        "scope=ACCOUNT",
        "scope=acc",
        "scope=account%20%20read",
        "scope=write&scope=account",
        "scope=account&scope=write",
        "scope=account&scope=account",
        "scope=%22",
        "scope=%00",
        "scope=%FF",
        "scope=%0d%0aX-Auth-User:root",
    ],
)
async def test_a_token_without_a_scope_demanded_is_403_and_says_nothing_of_the_user(
    service: Service, demanded: str
) -> None:
    client = await service.add_client()
    await service.add_account()
    token = (await service.login(client, scope="account read"))["access_token"]

    response = await verify(service, token, f"?{demanded}")

    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert said(response) == dict.fromkeys(HEADERS)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_what_proxies_add_to_the_question_does_not_matter(service: Service, method: str) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    asked = {
        "X-Forwarded-Method": method,
        "X-Forwarded-Uri": "/admin?scope=none",
        "X-Forwarded-Host": "evil.example",
        "X-Original-URL": "/healthz",
        "Connection": "close",
        "Content-Length": "0",
    }

    response = await verify(service, token, **asked)

    assert response.status_code == 200
    assert response.headers["x-auth-user"] == USERNAME


@pytest.mark.demand("A-24")
@pytest.mark.parametrize("whose", ["a user's token", "a client's own token"])
async def test_headers_that_a_stranger_sent_never_come_back(service: Service, whose: str) -> None:
    client = await service.add_client()
    await service.add_account()
    user_token = (await service.login(client))["access_token"]
    token = user_token if whose == "a user's token" else await service.client_token(client)
    honest = said(await verify(service, token))

    response = await verify(service, token, **dict.fromkeys(HEADERS, "root"), **{"X-Auth-Admin": "root"})

    assert response.status_code == 200
    assert said(response) == honest
    assert "root" not in str(response.headers)


@pytest.mark.demand("A-24")
@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 9000, "asvc_at_" + "A" * 64])
async def test_without_a_live_token_it_is_401_with_none_of_the_headers(service: Service, token: str) -> None:
    response = await verify(service, token, **dict.fromkeys(HEADERS, "root"))

    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Bearer realm="authsvc"')
    assert said(response) == dict.fromkeys(HEADERS)


async def test_asking_refreshes_nothing_and_changes_nothing(service: Service, caller: Registered) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    before = await service.contents()
    service.clock.advance(seconds=60)

    assert (await verify(service, token)).status_code == 200

    assert await service.contents() == before
    assert (await service.introspect(token, caller))["exp"] == int(service.clock().timestamp()) + 240


@pytest.mark.demand("S-14")
async def test_a_token_dies_at_the_second_of_its_exp_at_every_door(
    service: Service, caller: Registered
) -> None:
    await service.add_account()
    tokens = await service.login()
    facts = await service.introspect(tokens["access_token"], caller)
    assert facts["exp"] - int(service.clock().timestamp()) == tokens["expires_in"]

    service.clock.advance(seconds=tokens["expires_in"], microseconds=-1)
    assert set((await service.doors(tokens["access_token"], caller)).values()) == {True}

    service.clock.advance(microseconds=1)
    assert set((await service.doors(tokens["access_token"], caller)).values()) == {False}
