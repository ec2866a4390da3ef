"""Every way a token can end: it is dead at the very next look, at every door of every instance (P6)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from authsvc.storage.sessions import is_session
from tests.conftest import MakeService
from tests.fixtures.service import DEAD, LIVE, PASSWORD, Json, Registered, Service
from tests.fixtures.stack import Stack

HERS = "grace@example.com"


@dataclass
class World:
    """Sessions of two accounts through three clients, and a second instance over the same stores."""

    service: Service
    elsewhere: Service
    caller: Registered
    tight: Service
    app: Registered
    tokens: dict[str, Json]

    async def ask(self, method: str, path: str, **form: str) -> None:
        """A request that has to succeed, in the session `mine`."""
        response = await self.service.as_user(method, path, self.access("mine"), **form)
        assert response.status_code == 204, response.text

    async def revoke(self, token: str, client: Registered | None = None) -> None:
        form = {} if client else {"client_id": "public"}
        response = await self.service.post("/revoke", client, token=token, **form)
        assert response.status_code == 200, response.text

    def access(self, name: str) -> str:
        return str(self.tokens[name]["access_token"])

    def refresh(self, name: str) -> str:
        return str(self.tokens[name]["refresh_token"])

    @property
    def stack(self) -> Stack:
        return self.service.stack


@pytest.fixture
async def world(service: Service, service_with: MakeService, caller: Registered) -> World:
    await service.add_account()
    await service.add_account(HERS)
    app = await service.add_client()
    tokens = {"mine": await service.login()}
    service.clock.advance(seconds=1)
    tokens["other"] = await service.login()
    service.clock.advance(seconds=1)
    tokens["through the app"] = await service.login(app)
    tokens["hers"] = await service.login(username=HERS)
    tokens["hers through the app"] = await service.login(app, username=HERS)
    tight = await service_with(sessions_per_account=3)
    return World(service, await service_with(), caller, tight, app, tokens)


async def log_out(world: World) -> None:
    await world.ask("POST", "/logout")


async def log_out_others(world: World) -> None:
    await world.ask("POST", "/logout", scope="others")


async def log_out_all(world: World) -> None:
    await world.ask("POST", "/logout", scope="all")


async def log_out_by_refresh_token(world: World) -> None:
    response = await world.service.post("/logout", refresh_token=world.refresh("mine"))
    assert response.status_code == 204


async def revoke_the_refresh_token(world: World) -> None:
    await world.revoke(world.refresh("through the app"), world.app)


async def revoke_the_access_token(world: World) -> None:
    await world.revoke(world.access("mine"))


async def end_the_session_from_the_list(world: World) -> None:
    response = await world.service.as_user("GET", "/me", world.access("other"))
    await world.ask("DELETE", f"/sessions/{response.json()['session_id']}")


async def change_the_password(world: World) -> None:
    await world.ask("POST", "/password", current_password=PASSWORD, new_password="another passphrase")


async def set_the_password_as_operator(world: World) -> None:
    accounts = world.stack.services.accounts
    await accounts.set_password(await accounts.named("ada@example.com"), "another passphrase")


async def disable_the_account(world: World) -> None:
    accounts = world.stack.services.accounts
    await accounts.disable(await accounts.named("ada@example.com"))


async def disable_the_account_and_enable_it(world: World) -> None:
    accounts = world.stack.services.accounts
    account = await accounts.named("ada@example.com")
    await accounts.disable(account)
    await accounts.enable(account)


async def delete_the_account(world: World) -> None:
    accounts = world.stack.services.accounts
    await accounts.delete(await accounts.named("ada@example.com"))


async def end_the_sessions_as_operator(world: World) -> None:
    account = await world.stack.services.accounts.named("ada@example.com")
    await world.stack.services.sessions.end_all(account.id, reason="ended_by_operator")


async def log_in_once_too_often(world: World) -> None:
    await world.tight.login()


async def replay_a_refresh_token(world: World) -> None:
    assert (await world.service.refresh(world.refresh("mine"))).status_code == 200
    world.service.clock.advance(seconds=10)
    assert (await world.service.refresh(world.refresh("mine"))).status_code == 400


async def disable_the_client(world: World) -> None:
    await world.stack.services.clients.disable(world.app.id)


async def disable_the_client_and_enable_it(world: World) -> None:
    await world.stack.services.clients.disable(world.app.id)
    await world.stack.services.clients.enable(world.app.id)


OWN = {"mine", "other", "through the app"}
APPS = {"through the app", "hers through the app"}
ENDS: list[tuple[Callable[[World], Awaitable[None]], set[str]]] = [
    (log_out, {"mine"}),
    (log_out_others, {"other", "through the app"}),
    (log_out_all, OWN),
    (log_out_by_refresh_token, {"mine"}),
    (revoke_the_refresh_token, {"through the app"}),
    (revoke_the_access_token, {"mine"}),
    (end_the_session_from_the_list, {"other"}),
    (change_the_password, {"other", "through the app"}),
    (set_the_password_as_operator, OWN),
    (disable_the_account, OWN),
    (disable_the_account_and_enable_it, OWN),
    (delete_the_account, OWN),
    (end_the_sessions_as_operator, OWN),
    (log_in_once_too_often, {"mine"}),
    (replay_a_refresh_token, {"mine"}),
    (disable_the_client, APPS),
    (disable_the_client_and_enable_it, set()),
]


@pytest.mark.demand("S-06", "S-13")
@pytest.mark.parametrize(("end", "ended"), ENDS, ids=[end.__name__ for end, _ in ENDS])
async def test_what_ended_is_dead_at_the_very_next_look_and_nothing_else_is(
    world: World, end: Callable[[World], Awaitable[None]], ended: set[str]
) -> None:
    expected = {name: DEAD if name in ended else LIVE for name in world.tokens}

    await end(world)

    for instance in (world.elsewhere, world.service):
        found = {name: await instance.doors(world.access(name), world.caller) for name in world.tokens}
        assert found == expected


async def test_an_end_made_again_is_an_end_even_if_the_first_did_not_reach_redis(
    world: World,
) -> None:
    service = world.service
    session_id = UUID((await service.as_user("GET", "/me", world.access("mine"))).json()["session_id"])
    # What a crash between the commit and the denial leaves, or another request that is just there.
    async with service.transaction() as tx:
        await world.stack.services.sessions.mark_ended(tx, is_session(session_id), reason="logout")

    await world.ask("POST", "/logout")

    assert await world.elsewhere.doors(world.access("mine"), world.caller) == DEAD
