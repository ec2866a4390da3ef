"""POST /introspect (RFC 7662): who may ask, what is told of a live token, and how little of any other."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
import sqlalchemy as sa

from authsvc.storage.tables import metadata
from tests.fixtures.service import USERNAME, Json, Registered, Service
from tests.fixtures.stack import ISSUER

INACTIVE = {"active": False}
TIMES = ("exp", "iat", "nbf")
TEXTS = ("scope", "client_id", "username", "token_type", "sub", "aud", "iss", "jti", "sid")

MakeToken = Callable[[Service, Registered], Awaitable[str]]


async def contents(service: Service) -> Json:
    """Every row of the database and every key of Redis."""
    async with service.transaction() as tx:
        rows: Json = {
            table.name: [tuple(row) for row in await tx.execute(sa.select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }
    redis = service.stack.services.stores.redis
    return rows | {"redis": [] if redis is None else sorted(await redis.keys())}


# Who may ask


@pytest.mark.demand("I-01")
async def test_nobody_is_401_with_a_challenge(service: Service) -> None:
    await service.add_account()
    tokens = await service.login()

    response = await service.post("/introspect", token=tokens["access_token"])

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert response.headers["www-authenticate"] == 'Basic realm="authsvc"'


@pytest.mark.demand("I-02")
async def test_only_post_is_served(service: Service, caller: Registered) -> None:
    await service.add_account()
    tokens = await service.login()

    response = await service.http.get(
        "/introspect", params={"token": tokens["access_token"]}, auth=caller.auth
    )

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert "active" not in response.text


@pytest.mark.demand("I-02")
async def test_only_a_form_is_read(service: Service, caller: Registered) -> None:
    response = await service.http.post("/introspect", json={"token": "x"}, auth=caller.auth)

    assert response.status_code == 415
    assert response.json()["error"] == "invalid_request"


@pytest.mark.demand("I-14")
@pytest.mark.parametrize("by", ["basic", "post", "both"])
async def test_a_caller_authenticates_by_basic_by_post_or_by_both_agreeing(
    service: Service, caller: Registered, by: str
) -> None:
    await service.add_account()
    tokens = await service.login()
    form = {"token": tokens["access_token"]}
    if by == "post":
        form |= {"client_id": caller.id, "client_secret": caller.secret}
    if by == "both":
        form |= {"client_id": caller.id}

    response = await service.http.post(
        "/introspect", data=form, auth=None if by == "post" else caller.auth
    )

    assert response.status_code == 200
    assert response.json()["active"] is True


async def test_a_caller_with_two_secrets_is_refused(service: Service, caller: Registered) -> None:
    response = await service.post(
        "/introspect", caller, token="x", client_id=caller.id, client_secret=caller.secret
    )

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


async def test_a_callers_own_token_with_scope_introspect_may_ask(
    service: Service, caller: Registered
) -> None:
    await service.add_account()
    tokens = await service.login()
    own = await service.client_token(caller, scope="introspect")

    response = await service.as_user("POST", "/introspect", own, token=tokens["access_token"])

    assert response.status_code == 200
    assert response.json()["active"] is True


@pytest.mark.demand("I-10")
@pytest.mark.parametrize("whose", ["a user's", "a client's without the scope"])
async def test_a_bearer_token_without_scope_introspect_may_not_ask(
    service: Service, caller: Registered, whose: str
) -> None:
    await service.add_account()
    user_token = (await service.login())["access_token"]
    bearer = user_token if whose == "a user's" else await service.client_token(caller)

    response = await service.as_user("POST", "/introspect", bearer, token=user_token)

    assert response.status_code == 403
    assert response.json()["error"] == "insufficient_scope"
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert 'scope="introspect"' in response.headers["www-authenticate"]


async def test_a_client_that_lost_the_permission_may_not_ask_with_its_old_token(
    service: Service, caller: Registered
) -> None:
    own = await service.client_token(caller, scope="introspect")
    await service.stack.services.clients.change(caller.id, may_introspect=False)

    response = await service.as_user("POST", "/introspect", own, token=own)

    assert response.status_code == 403
    assert response.json()["error"] == "insufficient_scope"


async def test_a_dead_bearer_token_may_not_ask(service: Service, caller: Registered) -> None:
    own = await service.client_token(caller, scope="introspect")
    service.clock.advance(seconds=300)

    response = await service.as_user("POST", "/introspect", own, token="x")

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_a_public_client_may_not_ask(service: Service) -> None:
    public = await service.add_client(confidential=False)

    response = await service.post("/introspect", public, token="x")

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"


async def test_a_disabled_caller_may_not_ask(service: Service, caller: Registered) -> None:
    await service.stack.services.clients.disable(caller.id)

    response = await service.post("/introspect", caller, token="x")

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"


@pytest.mark.demand("I-11")
async def test_a_wrong_secret_learns_nothing_about_the_token(service: Service, caller: Registered) -> None:
    await service.add_account()
    tokens = await service.login()
    impostor = Registered(caller.client, "wrong")

    about_live = await service.post("/introspect", impostor, token=tokens["access_token"])
    about_none = await service.post("/introspect", impostor, token="no token at all")

    assert about_live.status_code == about_none.status_code == 401
    assert about_live.json()["error"] == "invalid_client"
    assert about_live.content == about_none.content
    volatile = {"x-request-id"}
    assert {name: value for name, value in about_live.headers.items() if name not in volatile} == {
        name: value for name, value in about_none.headers.items() if name not in volatile
    }


# What is asked


@pytest.mark.demand("I-03")
@pytest.mark.parametrize("form", [{}, {"token": ""}], ids=["missing", "empty"])
async def test_a_request_without_a_token_is_invalid(
    service: Service, caller: Registered, form: dict[str, str]
) -> None:
    response = await service.post("/introspect", caller, **form)

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


@pytest.mark.demand("I-15")
async def test_an_unknown_parameter_is_ignored(service: Service, caller: Registered) -> None:
    await service.add_account()
    tokens = await service.login()

    response = await service.post("/introspect", caller, token=tokens["access_token"], resource="x")

    assert response.status_code == 200
    assert response.json()["active"] is True


@pytest.mark.demand("I-15")
@pytest.mark.parametrize("repeated", ["token", "token_type_hint", "anything"])
async def test_a_repeated_parameter_is_refused(
    service: Service, caller: Registered, repeated: str
) -> None:
    response = await service.http.post(
        "/introspect",
        content=f"token=a&{repeated}=b&{repeated}=b",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        auth=caller.auth,
    )

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


@pytest.mark.demand("I-07")
@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "string", "%00", "ключ"])
async def test_no_hint_changes_the_answer(service: Service, caller: Registered, hint: str) -> None:
    own = await service.add_client(may_introspect=True)
    await service.add_account()
    tokens = await service.login(own)

    for token in (tokens["access_token"], tokens["refresh_token"], "unknown"):
        hinted = await service.post("/introspect", own, token=token, token_type_hint=hint)
        assert hinted.status_code == 200
        assert hinted.json() == await service.introspect(token, own)


# What is told of a live token


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

    assert {name: type(body[name]) for name in TIMES if name in body} == dict.fromkeys(
        (name for name in TIMES if name in body), int
    )
    assert {name: type(body[name]) for name in TEXTS if name in body} == dict.fromkeys(
        (name for name in TEXTS if name in body), str
    )
    assert set(body) - {"active"} <= {*TIMES, *TEXTS}


async def test_a_clients_own_token_is_described_without_a_user(
    service: Service, caller: Registered
) -> None:
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


# What is told of any other: nothing


async def unknown_refresh_token(service: Service, client: Registered) -> str:
    """A refresh token with our tag and a false MAC: that of a session which is gone."""
    tokens = await service.login(client)
    async with service.transaction() as tx:
        await tx.execute(sa.delete(metadata.tables["access_token"]))
        await tx.execute(sa.delete(metadata.tables["session"]))
    return str(tokens["refresh_token"])


async def expired_access_token(service: Service, client: Registered) -> str:
    tokens = await service.login(client)
    service.clock.advance(seconds=300)
    return str(tokens["access_token"])


async def revoked_access_token(service: Service, client: Registered) -> str:
    tokens = await service.login(client)
    await service.post("/revoke", client, token=tokens["access_token"])
    return str(tokens["access_token"])


async def access_token_of_an_ended_session(service: Service, client: Registered) -> str:
    tokens = await service.login(client)
    await service.as_user("POST", "/logout", tokens["access_token"])
    return str(tokens["access_token"])


async def refresh_token_of_an_ended_session(service: Service, client: Registered) -> str:
    tokens = await service.login(client)
    await service.as_user("POST", "/logout", tokens["access_token"])
    return str(tokens["refresh_token"])


async def replayed_refresh_token(service: Service, client: Registered) -> str:
    tokens = await service.login(client)
    assert (await service.refresh(tokens["refresh_token"], client)).status_code == 200
    service.clock.advance(seconds=10)
    return str(tokens["refresh_token"])


async def refresh_token_of_an_idle_session(service: Service, client: Registered) -> str:
    tokens = await service.login(client)
    service.clock.advance(days=14)
    return str(tokens["refresh_token"])


async def access_token_cut_short(service: Service, client: Registered) -> str:
    return str((await service.login(client))["access_token"])[:-1]


async def access_token_with_a_changed_letter(service: Service, client: Registered) -> str:
    token = str((await service.login(client))["access_token"])
    return token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:]


async def access_token_with_a_space(service: Service, client: Registered) -> str:
    return f" {(await service.login(client))['access_token']}"


DEAD_TOKENS: list[MakeToken] = [
    unknown_refresh_token,
    expired_access_token,
    revoked_access_token,
    access_token_of_an_ended_session,
    refresh_token_of_an_ended_session,
    replayed_refresh_token,
    refresh_token_of_an_idle_session,
    access_token_cut_short,
    access_token_with_a_changed_letter,
    access_token_with_a_space,
]


@pytest.mark.demand("I-06", "I-08")
@pytest.mark.parametrize("make", DEAD_TOKENS, ids=lambda make: make.__name__)
async def test_of_a_dead_token_nothing_is_told_even_to_its_own_client(
    service: Service, make: MakeToken
) -> None:
    client = await service.add_client(may_introspect=True)
    await service.add_account()
    token = await make(service, client)

    response = await service.post("/introspect", client, token=token)

    assert response.status_code == 200
    assert response.json() == INACTIVE


@pytest.mark.demand("I-06")
@pytest.mark.parametrize(
    "token",
    ["x", ".", "..", "a.b.c", "asvc_at_", "asvc_rt_", "asvc_at_" + "A" * 64, "é", "%", "\n", "x" * 20_000],
    ids=lambda token: f"{token[:16]!r}x{len(token)}",
)
async def test_of_what_was_never_a_token_nothing_is_told(
    service: Service, caller: Registered, token: str
) -> None:
    response = await service.post("/introspect", caller, token=token)

    assert response.status_code == 200
    assert response.json() == INACTIVE


@pytest.mark.demand("I-08")
async def test_every_call_looks_again(service: Service, caller: Registered) -> None:
    await service.add_account()
    first, second = await service.login(), await service.login()
    assert await service.is_live(first["access_token"], caller)
    assert await service.is_live(second["access_token"], caller)

    await service.as_user("POST", "/logout", first["access_token"])
    assert not await service.is_live(first["access_token"], caller)
    assert await service.is_live(second["access_token"], caller)

    service.clock.advance(seconds=300)
    assert not await service.is_live(second["access_token"], caller)


@pytest.mark.parametrize("make", DEAD_TOKENS, ids=lambda make: make.__name__)
async def test_asking_about_a_dead_token_changes_nothing(
    service: Service, caller: Registered, make: MakeToken
) -> None:
    client = await service.add_client(may_introspect=True)
    await service.add_account()
    token = await make(service, client)
    before = await contents(service)

    for asking in (client, caller):
        await service.introspect(token, asking)

    assert await contents(service) == before


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_asking_about_a_live_token_changes_nothing(service: Service, kind: str) -> None:
    client = await service.add_client(may_introspect=True)
    await service.add_account()
    tokens = await service.login(client)
    before = await contents(service)

    assert await service.is_live(tokens[kind], client)

    assert await contents(service) == before


async def test_the_predecessor_inside_the_overlap_is_still_active(service: Service) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)
    successor: httpx.Response = await service.refresh(tokens["refresh_token"], client)

    assert await service.is_live(tokens["refresh_token"], client)
    assert await service.is_live(successor.json()["refresh_token"], client)
