"""POST /introspect: what is told of a live token, and to whom (RFC 7662 §2.2)."""

import pytest

from tests.fixtures.service import USERNAME, Registered, Service
from tests.fixtures.stack import ISSUER

INACTIVE = {"active": False}
TIMES = ("exp", "iat", "nbf")
TEXTS = ("scope", "client_id", "username", "token_type", "sub", "aud", "iss", "jti", "sid")


@pytest.mark.demand("I-04", "I-05")
async def test_a_live_user_token_is_described_whole(service: Service, caller: Registered) -> None:
    account = await service.add_account()
    client = await service.add_client()
    tokens = await service.login(client, scope="read account")
    me = (await service.as_user("GET", "/me", tokens["access_token"])).json()

    response = await service.post("/introspect", caller, token=tokens["access_token"])

    assert response.headers["content-type"] == "application/json"
    body = response.json()
    now = int(service.clock().timestamp())
    jti = body.pop("jti")
    assert isinstance(jti, str)
    assert len(jti) >= 22
    assert body == {
        "active": True,
        "scope": "account read",
        "client_id": client.id,
        "username": USERNAME,
        "token_type": "Bearer",
        "exp": now + 300,
        "iat": now,
        "nbf": now,
        "sub": str(account.id),
        "aud": ISSUER,
        "iss": ISSUER,
        "sid": me["session_id"],
    }
    assert body["active"] is True  # equal to 1 would do above


@pytest.mark.demand("I-05")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_times_are_whole_numbers_and_names_are_texts_between_two_seconds_too(
    service: Service, kind: str
) -> None:
    client = await service.add_client(may_introspect=True)
    await service.add_account()
    service.clock.advance(seconds=0.75)
    tokens = await service.login(client)

    body = await service.introspect(tokens[kind], client)

    assert {type(body[name]) for name in TIMES if name in body} == {int}
    assert {type(body[name]) for name in TEXTS if name in body} == {str}
    assert set(body) - {"active"} <= {*TIMES, *TEXTS}


async def test_a_clients_own_token_is_described_without_a_user(service: Service, caller: Registered) -> None:
    client = await service.add_client()
    token = await service.client_token(client, scope="read")

    body = await service.introspect(token, caller)

    now = int(service.clock().timestamp())
    body.pop("jti")
    assert body == {
        "active": True,
        "scope": "read",
        "client_id": client.id,
        "token_type": "Bearer",
        "exp": now + 300,
        "iat": now,
        "nbf": now,
        "sub": client.id,
        "aud": ISSUER,
        "iss": ISSUER,
    }


@pytest.mark.demand("I-12")
async def test_a_refresh_token_is_described_to_its_own_client_and_never_as_bearer(service: Service) -> None:
    client = await service.add_client()
    account = await service.add_account()
    tokens = await service.login(client)

    body = await service.introspect(tokens["refresh_token"], client)

    now = int(service.clock().timestamp())
    sid = body.pop("sid")
    assert sid == (await service.introspect(tokens["access_token"], client))["sid"]
    assert body == {
        "active": True,
        "scope": "account",
        "client_id": client.id,
        "username": USERNAME,
        "token_type": "refresh_token",
        "exp": now + 14 * 86_400,
        "iat": now,
        "sub": str(account.id),
        "iss": ISSUER,
    }


@pytest.mark.demand("I-12")
async def test_a_refresh_token_is_inactive_to_all_others_the_permission_or_not(
    service: Service, caller: Registered
) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)

    assert await service.introspect(tokens["refresh_token"], caller) == INACTIVE
    assert await service.introspect(tokens["refresh_token"], await service.add_client()) == INACTIVE


@pytest.mark.demand("I-09")
async def test_a_client_without_the_permission_sees_its_own_access_tokens_only(service: Service) -> None:
    own, other = await service.add_client(), await service.add_client()
    await service.add_account()
    tokens = await service.login(own)

    assert (await service.introspect(tokens["access_token"], own))["active"] is True
    assert await service.introspect(tokens["access_token"], other) == INACTIVE


@pytest.mark.demand("I-13")
@pytest.mark.parametrize("token", ["live", "unknown", ""])
async def test_no_cache_may_keep_an_answer(service: Service, caller: Registered, token: str) -> None:
    await service.add_account()
    live = (await service.login())["access_token"]

    response = await service.post("/introspect", caller, token=live if token == "live" else token)

    assert response.headers["cache-control"] == "no-store"


async def test_the_predecessor_inside_the_overlap_is_still_active(service: Service) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)
    successor = await service.refresh(tokens["refresh_token"], client)

    assert await service.is_live(tokens["refresh_token"], client)
    assert await service.is_live(successor.json()["refresh_token"], client)
