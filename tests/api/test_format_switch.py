"""The setting of the token format changes what is issued, and logs nobody out (P5)."""

from dataclasses import dataclass

import pytest

from tests.conftest import MakeService
from tests.fixtures.service import DEAD, LIVE, Json, Registered, Service


@dataclass
class Switched:
    """The service before and after its setting changed, and what a client got from it before."""

    before: Service
    after: Service
    client: Registered
    old: Json

    @property
    def instances(self) -> tuple[Service, Service]:
        return self.before, self.after


@pytest.fixture
async def switched(service: Service, service_with: MakeService) -> Switched:
    client = await service.add_client(may_introspect=True)
    await service.add_account()
    old = await service.login(client)
    after = await service_with(token_format="opaque" if service.issues_jwt else "jwt")
    return Switched(service, after, client, old)


def is_jwt(token: str) -> bool:
    return token.count(".") == 2


async def test_what_is_issued_from_now_on_has_the_other_format(switched: Switched) -> None:
    new = await switched.after.login(switched.client)

    assert is_jwt(switched.old["access_token"]) is switched.before.issues_jwt
    assert is_jwt(new["access_token"]) is switched.after.issues_jwt
    assert switched.after.issues_jwt is not switched.before.issues_jwt


async def test_an_access_token_of_before_is_live_at_every_door(switched: Switched) -> None:
    for instance in switched.instances:
        assert await instance.doors(switched.old["access_token"], switched.client) == LIVE


async def test_an_access_token_of_after_is_live_where_the_old_setting_still_runs(switched: Switched) -> None:
    new = await switched.after.login(switched.client)

    assert await switched.before.doors(new["access_token"], switched.client) == LIVE


async def test_it_is_described_as_before(switched: Switched) -> None:
    token = switched.old["access_token"]

    before = await switched.before.introspect(token, switched.client)
    after = await switched.after.introspect(token, switched.client)

    assert before["active"] is True
    assert after == before


async def test_both_formats_are_described_alike(switched: Switched) -> None:
    refreshed = (await switched.after.refresh(switched.old["refresh_token"], switched.client)).json()

    old = await switched.after.introspect(switched.old["access_token"], switched.client)
    new = await switched.after.introspect(refreshed["access_token"], switched.client)

    assert old.pop("jti") != new.pop("jti")
    assert new == old


async def test_a_refresh_token_of_before_refreshes_into_the_other_format(switched: Switched) -> None:
    response = await switched.after.refresh(switched.old["refresh_token"], switched.client)

    assert response.status_code == 200
    new = response.json()
    assert is_jwt(new["access_token"]) is switched.after.issues_jwt
    for instance in switched.instances:
        assert await instance.doors(new["access_token"], switched.client) == LIVE
        assert await instance.doors(switched.old["access_token"], switched.client) == LIVE


async def test_a_logout_by_a_token_of_before_ends_it_in_its_own_format(switched: Switched) -> None:
    response = await switched.after.as_user("POST", "/logout", switched.old["access_token"])

    assert response.status_code == 204
    for instance in switched.instances:
        assert await instance.doors(switched.old["access_token"], switched.client) == DEAD
        refused = await instance.refresh(switched.old["refresh_token"], switched.client)
        assert refused.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("by", ["old", "new"])
async def test_a_logout_ends_the_sessions_tokens_of_both_formats(switched: Switched, by: str) -> None:
    new = (await switched.after.refresh(switched.old["refresh_token"], switched.client)).json()
    tokens = {"old": switched.old["access_token"], "new": new["access_token"]}

    response = await switched.after.as_user("POST", "/logout", tokens[by])

    assert response.status_code == 204
    for instance in switched.instances:
        for token in tokens.values():
            assert await instance.doors(token, switched.client) == DEAD


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_revoked_access_token_of_either_format_dies_alone(switched: Switched, where: str) -> None:
    new = (await switched.after.refresh(switched.old["refresh_token"], switched.client)).json()
    revoking: Service = getattr(switched, where)
    revoked, kept = (new, switched.old) if where == "before" else (switched.old, new)

    response = await revoking.post("/revoke", switched.client, token=revoked["access_token"])

    assert response.status_code == 200
    for instance in switched.instances:
        assert await instance.doors(revoked["access_token"], switched.client) == DEAD
        assert await instance.doors(kept["access_token"], switched.client) == LIVE


async def test_a_revoked_refresh_token_of_before_ends_the_session_in_its_own_format(
    switched: Switched,
) -> None:
    response = await switched.after.post("/revoke", switched.client, token=switched.old["refresh_token"])

    assert response.status_code == 200
    for instance in switched.instances:
        assert await instance.doors(switched.old["access_token"], switched.client) == DEAD


async def test_a_token_of_before_dies_at_its_exp(switched: Switched) -> None:
    switched.after.clock.advance(seconds=299)
    assert await switched.after.doors(switched.old["access_token"], switched.client) == LIVE

    switched.after.clock.advance(seconds=1)
    assert await switched.after.doors(switched.old["access_token"], switched.client) == DEAD


@pytest.mark.parametrize("kind", ["disabled client", "disabled account"])
async def test_a_token_of_before_is_withdrawn_like_one_of_after(switched: Switched, kind: str) -> None:
    new = (await switched.after.refresh(switched.old["refresh_token"], switched.client)).json()
    caller = await switched.after.add_client(may_introspect=True)
    services = switched.after.stack.services

    if kind == "disabled client":
        await services.clients.disable(switched.client.id)
    else:
        await services.accounts.disable(await services.accounts.named("ada@example.com"))

    for instance in switched.instances:
        for token in (switched.old["access_token"], new["access_token"]):
            assert await instance.doors(token, caller) == DEAD
            logout = await instance.as_user("POST", "/logout", token)
            assert logout.status_code == (401 if kind == "disabled client" else 204)
