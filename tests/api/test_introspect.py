"""POST /introspect (RFC 7662): who may ask, and how."""

import httpx
import pytest

from tests.fixtures.service import Registered, Service


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
        "/introspect", data=form, auth=httpx.USE_CLIENT_DEFAULT if by == "post" else caller.auth
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
async def test_a_repeated_parameter_is_refused(service: Service, caller: Registered, repeated: str) -> None:
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
async def test_no_hint_changes_the_answer(service: Service, hint: str) -> None:
    own = await service.add_client(may_introspect=True)
    await service.add_account()
    tokens = await service.login(own)

    for token in (tokens["access_token"], tokens["refresh_token"], "unknown"):
        hinted = await service.post("/introspect", own, token=token, token_type_hint=hint)
        assert hinted.status_code == 200
        assert hinted.json() == await service.introspect(token, own)
