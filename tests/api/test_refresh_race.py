"""POST /refresh at the same moment as itself, as a logout, as a revocation."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from authsvc.storage.access_tokens import LIVE_TOKENS_PER_SESSION
from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import Json, Registered, Service

PARALLEL = 50
ROUNDS = 8


@pytest.fixture
async def two(service: Service, service_with: MakeService) -> list[Service]:
    """Two instances over the same stores, each with connections of its own."""
    return [service, await service_with()]


async def in_parallel(instances: list[Service], refresh_token: str, count: int) -> list[httpx.Response]:
    """The answers to *count* refreshes of one token, spread over the instances."""
    chosen = [instances[number % len(instances)] for number in range(count)]
    return await asyncio.gather(*(instance.refresh(refresh_token) for instance in chosen))


async def live_among(service: Service, caller: Registered, tokens: list[str]) -> list[str]:
    """Those of *tokens* that are live, asked one after another."""
    return [token for token in tokens if await service.is_live(token, caller)]


@pytest.mark.demand("S-03")
async def test_fifty_refreshes_of_one_token_all_succeed_and_agree(
    two: list[Service], signed_in: Json, caller: Registered
) -> None:
    answers = await in_parallel(two, signed_in["refresh_token"], PARALLEL)

    assert [answer.status_code for answer in answers] == [200] * PARALLEL
    successors = {answer.json()["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert signed_in["refresh_token"] not in successors
    (session,) = await two[0].sessions()
    assert (session.generation, session.repeats) == (2, PARALLEL - 1)
    access_tokens = [answer.json()["access_token"] for answer in answers]
    assert len(set(access_tokens)) == PARALLEL
    expected = PARALLEL if two[0].issues_jwt else LIVE_TOKENS_PER_SESSION
    assert len(await live_among(two[1], caller, access_tokens)) == expected
    assert (await two[1].refresh(successors.pop())).status_code == 200


@pytest.mark.only("postgres-opaque", "sqlite-opaque", reason="JWTs have no rows and no bound")
async def test_of_fifty_parallel_opaque_tokens_the_newest_are_kept(
    two: list[Service], signed_in: Json
) -> None:
    await in_parallel(two, signed_in["refresh_token"], PARALLEL)

    newest = range(PARALLEL + 1 - LIVE_TOKENS_PER_SESSION, PARALLEL + 1)
    assert await two[0].access_token_numbers() == [number + 1 for number in newest]


async def test_after_the_overlap_one_more_of_the_fifty_ends_all_of_them(
    two: list[Service], signed_in: Json, caller: Registered
) -> None:
    answers = await in_parallel(two, signed_in["refresh_token"], PARALLEL)
    two[0].clock.advance(seconds=10)

    assert_oauth_error(await two[1].refresh(signed_in["refresh_token"]), 400, "invalid_grant")

    access_tokens = [answer.json()["access_token"] for answer in answers]
    assert await live_among(two[0], caller, access_tokens) == []


async def test_parallel_replays_are_refused_alike_and_end_one_session_once(
    two: list[Service], signed_in: Json
) -> None:
    await two[0].refreshed(signed_in["refresh_token"])
    two[0].clock.advance(seconds=10)

    for answer in await in_parallel(two, signed_in["refresh_token"], 10):
        assert_oauth_error(answer, 400, "invalid_grant")

    assert [session.ended_at for session in await two[0].sessions()] == [two[0].clock()]


async def test_parallel_refreshes_ahead_of_a_restored_row_agree(two: list[Service], signed_in: Json) -> None:
    token = (await two[0].refreshed(signed_in["refresh_token"]))["refresh_token"]
    await two[0].alter("session", generation=1)

    answers = await in_parallel(two, token, 10)

    assert [answer.status_code for answer in answers] == [200] * 10
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def later(turns: int, request: Awaitable[httpx.Response]) -> httpx.Response:
    """Make the request *turns* turns of the event loop later than the others."""
    for _ in range(turns):
        await asyncio.sleep(0)
    return await request


End = Callable[[Service, Json], Awaitable[httpx.Response]]


async def race(two: list[Service], caller: Registered, end: End) -> None:
    """Refresh while *end* ends the session, sooner or later; assert that nothing survives the end.

    Each round lets the end come a little later, so that it meets the refresh at every stage.
    """
    one, other = two
    for round_ in range(ROUNDS):
        first = await one.login()
        tokens = await one.refreshed(first["refresh_token"])
        requests = [later(0, one.refresh(tokens["refresh_token"])) for _ in range(3)]
        ended, *refreshes = await asyncio.gather(later(round_ * 6, end(other, tokens)), *requests)
        assert ended.status_code in {200, 204}, ended.text

        given = [tokens] + [answer.json() for answer in refreshes if answer.status_code == 200]
        for answer in refreshes:
            if answer.status_code != 200:
                assert_oauth_error(answer, 400, "invalid_grant")
        assert await live_among(one, caller, [answer["access_token"] for answer in given]) == []
        for refresh_token in {answer["refresh_token"] for answer in given}:
            assert_oauth_error(await one.refresh(refresh_token), 400, "invalid_grant")


@pytest.mark.demand("S-04")
async def test_nothing_survives_a_logout_that_races_refreshes(
    two: list[Service], signed_in: Json, caller: Registered
) -> None:
    async def log_out(service: Service, tokens: Json) -> httpx.Response:
        return await service.as_user("POST", "/logout", tokens["access_token"])

    assert signed_in
    await race(two, caller, log_out)


@pytest.mark.demand("S-05")
async def test_nothing_survives_a_revocation_that_races_refreshes(
    two: list[Service], signed_in: Json, caller: Registered
) -> None:
    async def revoke(service: Service, tokens: Json) -> httpx.Response:
        return await service.post("/revoke", token=tokens["refresh_token"], client_id="public")

    assert signed_in
    await race(two, caller, revoke)
