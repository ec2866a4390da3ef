"""POST /introspect: of a token that is not live nothing is told, and asking changes nothing."""

from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from authsvc.storage.tables import metadata
from tests.fixtures.service import Registered, Service

INACTIVE = {"active": False}

MakeToken = Callable[[Service, Registered], Awaitable[str]]


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
    before = await service.contents()

    for asking in (client, caller):
        await service.introspect(token, asking)

    assert await service.contents() == before


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_asking_about_a_live_token_changes_nothing(service: Service, kind: str) -> None:
    client = await service.add_client(may_introspect=True)
    await service.add_account()
    tokens = await service.login(client)
    before = await service.contents()

    assert await service.is_live(tokens[kind], client)

    assert await service.contents() == before
