"""P11: whatever ends, it is committed, then denied in Redis, then answered; and it ends once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.fixtures.service import PASSWORD, USERNAME, Json, Service
from tests.fixtures.watched_denylist import undelivered, watch

pytestmark = pytest.mark.only("postgres-jwt", "postgres-opaque", reason="the order is that of two stores")


@dataclass
class Watched:
    """A service and the tokens of a session, and what its denylist has seen."""

    service: Service
    tokens: Json
    log: list[str]

    async def post(self, path: str, expected: int, **form: str) -> None:
        response = await self.service.post(path, **form)
        assert response.status_code == expected, response.text

    async def as_user(self, method: str, path: str, expected: int, **form: str) -> None:
        response = await self.service.as_user(method, path, self.tokens["access_token"], **form)
        assert response.status_code == expected, response.text


@pytest.fixture
async def watched(service: Service, signed_in: Json) -> AsyncIterator[Watched]:
    log: list[str] = []
    watched = watch(service, log)
    async with watched.http:
        yield Watched(watched, signed_in, log)


async def log_out(watched: Watched) -> None:
    await watched.as_user("POST", "/logout", 204)


async def log_out_by_refresh_token(watched: Watched) -> None:
    await watched.post("/logout", 204, refresh_token=watched.tokens["refresh_token"])


async def log_out_everywhere(watched: Watched) -> None:
    await watched.as_user("POST", "/logout", 204, scope="all")


async def delete_the_session(watched: Watched) -> None:
    (session,) = await watched.service.sessions()
    await watched.as_user("DELETE", f"/sessions/{session.id}", 204)


async def revoke_the_refresh_token(watched: Watched) -> None:
    await watched.post("/revoke", 200, token=watched.tokens["refresh_token"], client_id="public")


async def replay(watched: Watched) -> None:
    await watched.service.refreshed(watched.tokens["refresh_token"])
    watched.service.clock.advance(seconds=10)
    await watched.post("/refresh", 400, refresh_token=watched.tokens["refresh_token"])


async def log_in_once_too_often(watched: Watched) -> None:
    for _ in range(2):
        watched.service.clock.advance(seconds=1)
        await watched.service.login()


async def change_the_password_elsewhere(watched: Watched) -> None:
    watched.service.clock.advance(seconds=1)
    watched.tokens = await watched.service.login()
    await watched.as_user(
        "POST", "/password", 204, current_password=PASSWORD, new_password=PASSWORD + " stapled"
    )


async def disable_the_account(watched: Watched) -> None:
    accounts = watched.service.stack.services.accounts
    await accounts.disable(await accounts.named(USERNAME))


async def disable_the_client(watched: Watched) -> None:
    await watched.service.stack.services.clients.disable("public")


End = Callable[[Watched], Awaitable[None]]
SESSION_ENDS: list[End] = [
    log_out,
    log_out_by_refresh_token,
    log_out_everywhere,
    delete_the_session,
    revoke_the_refresh_token,
    replay,
    log_in_once_too_often,
    change_the_password_elsewhere,
]


def in_order(*kinds: str) -> list[str]:
    return [f"{kind} {step}" for kind in kinds for step in ("committed", "denied")] + ["answered"]


@pytest.mark.parametrize("end", SESSION_ENDS, ids=lambda end: end.__name__)
async def test_an_end_is_committed_then_denied_then_answered(watched: Watched, end: End) -> None:
    await end(watched)
    watched.log.append("answered")

    assert watched.log == in_order("sid")
    assert await undelivered(watched.service) == 0


async def test_a_disabled_account_is_committed_then_denied_then_answered(watched: Watched) -> None:
    await disable_the_account(watched)
    watched.log.append("answered")

    assert watched.log == in_order("sid")
    assert await undelivered(watched.service) == 0


async def test_a_disabled_client_is_committed_then_denied_then_answered(watched: Watched) -> None:
    await disable_the_client(watched)
    watched.log.append("answered")

    assert watched.log == in_order("client")


@pytest.mark.only("postgres-jwt", reason="a single opaque token is its row, and denied nowhere else")
async def test_a_single_jwt_is_committed_then_denied_then_answered(watched: Watched) -> None:
    await watched.post("/revoke", 200, token=watched.tokens["access_token"], client_id="public")
    watched.log.append("answered")

    assert watched.log == in_order("jti")
    assert await undelivered(watched.service) == 0


@pytest.mark.parametrize(
    "end", [log_out, log_out_by_refresh_token, revoke_the_refresh_token], ids=lambda end: end.__name__
)
async def test_ending_twice_is_ending_once(watched: Watched, end: End) -> None:
    await end(watched)
    before, seen = await watched.service.contents(), list(watched.log)
    watched.service.clock.advance(seconds=1)

    await end(watched)

    assert await watched.service.contents() == before
    assert watched.log == seen
