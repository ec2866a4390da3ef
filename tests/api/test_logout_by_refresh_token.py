"""POST /logout with the refresh token, for when the access token has expired."""

import pytest

from tests.fixtures.service import DEAD, LIVE, Json, Registered, Service


async def three_generations(service: Service, client: Registered | None = None) -> list[Json]:
    """The tokens of a session from its login on, refreshed twice."""
    tokens = [await service.login(client)]
    for _ in range(2):
        tokens.append((await service.refresh(tokens[-1]["refresh_token"], client)).json())
    return tokens


@pytest.mark.parametrize("generation", [1, 2, 3])
async def test_a_refresh_token_of_any_generation_ends_its_own_session_and_no_other(
    service: Service, caller: Registered, generation: int
) -> None:
    await service.add_account()
    other = await service.login()
    tokens = await three_generations(service)

    response = await service.post("/logout", refresh_token=tokens[generation - 1]["refresh_token"])

    assert response.status_code == 204
    assert [await service.doors(each["access_token"], caller) for each in tokens] == [DEAD] * 3
    assert (await service.refresh(tokens[-1]["refresh_token"])).json()["error"] == "invalid_grant"
    assert await service.doors(other["access_token"], caller) == LIVE


async def test_an_expired_access_token_beside_it_does_not_matter(
    service: Service, caller: Registered
) -> None:
    await service.add_account()
    tokens = await service.login()
    service.clock.advance(seconds=300)
    later = (await service.refresh(tokens["refresh_token"])).json()

    response = await service.as_user(
        "POST", "/logout", tokens["access_token"], refresh_token=tokens["refresh_token"]
    )

    assert response.status_code == 204
    assert await service.doors(later["access_token"], caller) == DEAD


async def test_a_live_access_token_beside_it_decides(service: Service, caller: Registered) -> None:
    await service.add_account()
    mine, other = await service.login(), await service.login()

    response = await service.as_user(
        "POST", "/logout", mine["access_token"], refresh_token=other["refresh_token"]
    )

    assert response.status_code == 204
    assert await service.doors(mine["access_token"], caller) == DEAD
    assert await service.doors(other["access_token"], caller) == LIVE


@pytest.mark.parametrize("scope", ["others", "all"])
@pytest.mark.parametrize("header", ["none", "expired"])
async def test_a_refresh_token_ends_no_others(
    service: Service, caller: Registered, scope: str, header: str
) -> None:
    await service.add_account()
    tokens = await service.login()
    service.clock.advance(seconds=300)
    other = await service.login()
    form = {"refresh_token": tokens["refresh_token"], "scope": scope}

    if header == "none":
        response = await service.post("/logout", **form)
    else:
        response = await service.as_user("POST", "/logout", tokens["access_token"], **form)

    assert response.status_code == 403
    assert await service.doors(other["access_token"], caller) == LIVE
    assert (await service.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.parametrize(
    "by", ["nobody", "its name alone", "a wrong secret", "another client", "the client public"]
)
async def test_a_confidential_clients_needs_that_clients_authentication(
    service: Service, caller: Registered, by: str
) -> None:
    client, another = await service.add_client(), await service.add_client()
    await service.add_account()
    tokens = await service.login(client)
    callers = {
        "nobody": None,
        "its name alone": Registered(client.client, ""),
        "a wrong secret": Registered(client.client, "wrong"),
        "another client": another,
    }
    named = {"client_id": "public"} if by == "the client public" else {}

    response = await service.post("/logout", callers.get(by), refresh_token=tokens["refresh_token"], **named)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="authsvc", Basic realm="authsvc"'
    assert response.headers["content-type"] == "application/problem+json"
    assert await service.doors(tokens["access_token"], caller) == LIVE
    assert (await service.refresh(tokens["refresh_token"], client)).status_code == 200


@pytest.mark.parametrize("by", ["basic", "post"])
async def test_its_confidential_client_ends_the_session(
    service: Service, caller: Registered, by: str
) -> None:
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client)
    form = {"refresh_token": tokens["refresh_token"]}

    if by == "basic":
        response = await service.post("/logout", client, **form)
    else:
        secret = {"client_id": client.id, "client_secret": client.secret}
        response = await service.as_user("POST", "/logout", "expired", **form | secret)

    assert response.status_code == 204
    assert await service.doors(tokens["access_token"], caller) == DEAD


@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
async def test_a_public_client_need_not_name_itself(
    service: Service, caller: Registered, named: bool
) -> None:
    client = await service.add_client(confidential=False)
    await service.add_account()
    tokens = await service.login(client)

    response = await service.post("/logout", client if named else None, refresh_token=tokens["refresh_token"])

    assert response.status_code == 204
    assert await service.doors(tokens["access_token"], caller) == DEAD


async def test_logging_out_again_is_204_and_changes_nothing(service: Service) -> None:
    await service.add_account()
    token = (await service.login())["refresh_token"]
    await service.post("/logout", refresh_token=token)
    ended = await service.contents()

    response = await service.post("/logout", refresh_token=token)

    assert response.status_code == 204
    assert await service.contents() == ended


@pytest.mark.parametrize("kind", ["unknown", "changed", "an access token"])
async def test_what_is_no_refresh_token_of_ours_is_401_and_changes_nothing(
    service: Service, kind: str
) -> None:
    await service.add_account()
    tokens = await service.login()
    good = tokens["refresh_token"]
    token = {
        "unknown": "asvc_rt_" + "A" * (len(good) - len("asvc_rt_")),
        "changed": good[:30] + ("A" if good[30] != "A" else "B") + good[31:],
        "an access token": tokens["access_token"],
    }[kind]
    before = await service.contents()

    response = await service.post("/logout", refresh_token=token)

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert await service.contents() == before
