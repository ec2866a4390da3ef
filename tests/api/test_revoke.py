"""POST /revoke (RFC 7009)."""

import pytest

from tests.fixtures.service import DEAD, LIVE, Registered, Service

HINTS = ["access_token", "refresh_token", "string", ""]


async def revoke(service: Service, token: str, client: Registered | None, **form: str) -> None:
    """Revoke, and see the one answer there is: the empty object that every client library takes."""
    response = await service.post("/revoke", client, token=token, **form)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.content == b"{}"


@pytest.mark.demand("V-01")
async def test_nobody_may_revoke(service: Service, caller: Registered) -> None:
    await service.add_account()
    tokens = await service.login()

    response = await service.post("/revoke", token=tokens["refresh_token"])

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert response.headers["www-authenticate"] == 'Basic realm="authsvc"'
    assert await service.is_live(tokens["access_token"], caller)


@pytest.mark.demand("V-01")
@pytest.mark.parametrize("by", ["wrong secret", "no secret", "unknown client", "user's bearer token"])
async def test_a_client_that_is_not_proven_may_not_revoke(
    service: Service, caller: Registered, by: str
) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)
    token = tokens["access_token"]

    if by == "user's bearer token":
        response = await service.as_user("POST", "/revoke", token, token=token)
    elif by == "no secret":
        response = await service.post("/revoke", token=token, client_id=client.id)
    elif by == "unknown client":
        response = await service.post("/revoke", token=token, client_id="nobody", client_secret="x")
    else:
        response = await service.post("/revoke", Registered(client.client, "wrong"), token=token)

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert await service.is_live(token, caller)


@pytest.mark.demand("V-02")
async def test_a_revoked_access_token_dies_alone_and_at_once(service: Service, caller: Registered) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)
    later = (await service.refresh(tokens["refresh_token"], client)).json()
    assert await service.doors(tokens["access_token"], caller) == LIVE

    await revoke(service, tokens["access_token"], client)

    assert await service.doors(tokens["access_token"], caller) == DEAD
    assert await service.doors(later["access_token"], caller) == LIVE
    assert (await service.refresh(later["refresh_token"], client)).status_code == 200


@pytest.mark.demand("V-02")
async def test_a_clients_own_token_can_be_revoked(service: Service, caller: Registered) -> None:
    client = await service.add_client()
    token, another = await service.client_token(client), await service.client_token(client)

    await revoke(service, token, client)

    assert not await service.is_live(token, caller)
    assert await service.is_live(another, caller)


@pytest.mark.demand("V-06")
async def test_a_revoked_refresh_token_ends_its_session_and_no_other(
    service: Service, caller: Registered
) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens, others = await service.login(client), await service.login(client)
    later = (await service.refresh(tokens["refresh_token"], client)).json()

    await revoke(service, later["refresh_token"], client)

    assert await service.doors(tokens["access_token"], caller) == DEAD
    assert await service.doors(later["access_token"], caller) == DEAD
    refused = await service.refresh(later["refresh_token"], client)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert await service.doors(others["access_token"], caller) == LIVE
    assert (await service.refresh(others["refresh_token"], client)).status_code == 200


@pytest.mark.demand("V-06")
async def test_an_old_refresh_token_ends_its_session_too(service: Service, caller: Registered) -> None:
    client = await service.add_client()
    await service.add_account()
    first = await service.login(client)
    second = (await service.refresh(first["refresh_token"], client)).json()
    third = (await service.refresh(second["refresh_token"], client)).json()

    await revoke(service, first["refresh_token"], client)

    assert await service.doors(third["access_token"], caller) == DEAD
    assert (await service.refresh(third["refresh_token"], client)).json()["error"] == "invalid_grant"


@pytest.mark.demand("V-03")
@pytest.mark.parametrize(
    "token", ["unknown", "a.b.c", "asvc_at_" + "A" * 64, "asvc_rt_" + "A" * 80, "é", "x" * 20_000]
)
async def test_a_token_that_never_was_is_answered_like_one_that_died(service: Service, token: str) -> None:
    client = await service.add_client()
    before = await service.contents()

    await revoke(service, token, client)

    assert await service.contents() == before


@pytest.mark.demand("V-04")
@pytest.mark.parametrize("form", [{}, {"token": ""}], ids=["missing", "empty"])
async def test_a_request_without_a_token_is_invalid(service: Service, form: dict[str, str]) -> None:
    response = await service.post("/revoke", await service.add_client(), **form)

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


@pytest.mark.demand("V-05")
@pytest.mark.parametrize("hint", HINTS)
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_no_hint_saves_a_token(service: Service, caller: Registered, kind: str, hint: str) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)

    await revoke(service, tokens[kind], client, token_type_hint=hint)

    assert await service.doors(tokens["access_token"], caller) == DEAD
    assert await service.introspect(tokens[kind], client) == {"active": False}


@pytest.mark.demand("V-07")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("whose", ["another client", "a public client", "a client that may introspect"])
async def test_another_clients_token_is_left_alone(
    service: Service, caller: Registered, kind: str, whose: str
) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)
    strangers = {
        "another client": await service.add_client(),
        "a public client": await service.add_client(confidential=False),
        "a client that may introspect": caller,
    }
    before = await service.contents()

    await revoke(service, tokens[kind], strangers[whose])

    assert await service.contents() == before
    assert await service.doors(tokens["access_token"], caller) == LIVE
    assert (await service.refresh(tokens["refresh_token"], client)).status_code == 200


@pytest.mark.demand("V-08")
async def test_only_post_is_served(service: Service) -> None:
    client = await service.add_client()

    response = await service.http.get("/revoke", params={"token": "x"}, auth=client.auth)

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.demand("V-09")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoking_twice_is_200_twice(service: Service, caller: Registered, kind: str) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)

    await revoke(service, tokens[kind], client)
    once = await service.contents()
    await revoke(service, tokens[kind], client)

    assert await service.contents() == once
    assert await service.doors(tokens["access_token"], caller) == DEAD


@pytest.mark.demand("V-11")
async def test_nothing_brings_a_revoked_access_token_back(service: Service, caller: Registered) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)
    await revoke(service, tokens["access_token"], client)

    repeated = [await service.refresh(tokens["refresh_token"], client) for _ in range(2)]
    await service.stack.services.clients.disable(client.id)
    await service.stack.services.clients.enable(client.id)

    assert [response.status_code for response in repeated] == [200, 200]
    assert await service.doors(tokens["access_token"], caller) == DEAD
    assert await service.doors(repeated[-1].json()["access_token"], caller) == LIVE


@pytest.mark.parametrize("by", ["basic", "post"])
async def test_a_confidential_client_revokes_by_basic_and_by_post(
    service: Service, caller: Registered, by: str
) -> None:
    client = await service.add_client()
    await service.add_account()
    token = (await service.login(client))["access_token"]

    if by == "basic":
        await revoke(service, token, client)
    else:
        await revoke(service, token, None, client_id=client.id, client_secret=client.secret)

    assert await service.doors(token, caller) == DEAD


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_a_public_client_revokes_by_naming_itself(
    service: Service, caller: Registered, kind: str
) -> None:
    client = await service.add_client(confidential=False)
    await service.add_account()
    tokens = await service.login(client)

    await revoke(service, tokens[kind], client)

    assert await service.doors(tokens["access_token"], caller) == DEAD
