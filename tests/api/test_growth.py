"""P1: one row per sign-in, whatever happens after; a refresh leaves nothing behind."""

import os

import pytest

from authsvc.storage.access_tokens import LIVE_TOKENS_PER_SESSION
from tests.fixtures.service import DEAD, LIVE, Json, Registered, Service
from tests.fixtures.updates import updates

REFRESHES = int(os.environ.get("AUTHSVC_TEST_REFRESHES", "100"))


def counts(contents: Json) -> dict[str, int]:
    """How many rows each table has, and how many keys Redis."""
    return {name: len(rows) for name, rows in contents.items()}


async def refresh_often(service: Service, tokens: Json, times: int, seconds: float = 0) -> list[Json]:
    """The answers of *times* refreshes, each *seconds* after the one before."""
    answers = []
    for _ in range(times):
        service.clock.advance(seconds=seconds)
        tokens = await service.refreshed(tokens["refresh_token"])
        answers.append(tokens)
    return answers


async def test_no_refresh_leaves_a_row_or_a_key_behind(service: Service, signed_in: Json) -> None:
    """With JWTs nothing grows anywhere; with opaque tokens only these, up to their bound."""
    before = counts(await service.contents())

    await refresh_often(service, signed_in, REFRESHES)

    after = counts(await service.contents())
    print(f"before {REFRESHES:,} refreshes: {before}; after: {after}")
    kept = 0 if service.issues_jwt else LIVE_TOKENS_PER_SESSION
    assert after == before | {"session": 1, "access_token": kept}


@pytest.mark.only("postgres-opaque", "sqlite-opaque", reason="JWTs have no bound")
async def test_the_33rd_opaque_token_removes_the_oldest_and_never_the_session(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    answers = [signed_in, *await refresh_often(service, signed_in, LIVE_TOKENS_PER_SESSION - 1)]
    assert [await service.is_live(answer["access_token"], caller) for answer in answers] == [True] * 32

    newest = await service.refreshed(answers[-1]["refresh_token"])

    assert await service.doors(answers[0]["access_token"], caller) == DEAD
    rest = [*answers[1:], newest]
    assert [await service.is_live(answer["access_token"], caller) for answer in rest] == [True] * 32
    assert (await service.refresh(newest["refresh_token"])).status_code == 200


@pytest.mark.only("postgres-opaque", "sqlite-opaque", reason="JWTs have no bound")
async def test_a_token_with_32_newer_ones_is_dead_while_its_row_is_still_there(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    """As for a moment after many refreshes at once, of which none has seen all the others."""
    await service.alter("session", access_tokens_issued=LIVE_TOKENS_PER_SESSION)
    assert await service.doors(signed_in["access_token"], caller) == LIVE

    await service.alter("session", access_tokens_issued=LIVE_TOKENS_PER_SESSION + 1)

    assert await service.access_token_numbers() == [1]
    assert await service.doors(signed_in["access_token"], caller) == DEAD


@pytest.mark.only("postgres-opaque", "sqlite-opaque", reason="JWTs have no rows")
async def test_a_refresh_first_removes_the_expired_opaque_tokens_of_its_session(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    old = await refresh_often(service, signed_in, 20)
    service.clock.advance(seconds=290)
    young = await refresh_often(service, old[-1], 30)
    service.clock.advance(seconds=10)

    newest = await service.refreshed(young[-1]["refresh_token"])

    assert await service.access_token_numbers() == list(range(22, 53))
    assert [await service.is_live(one["access_token"], caller) for one in [*young, newest]] == [True] * 31


@pytest.mark.only("postgres-opaque", "sqlite-opaque", reason="JWTs have no rows")
async def test_a_refresh_leaves_the_access_tokens_of_other_sessions_alone(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    other = await service.login()
    own_token = await service.client_token(caller)

    await refresh_often(service, signed_in, LIVE_TOKENS_PER_SESSION + 2)

    assert await service.doors(other["access_token"], caller) == LIVE
    assert await service.is_live(own_token, caller)


async def test_repeats_leave_no_more_behind_than_rotations(service: Service, signed_in: Json) -> None:
    before = counts(await service.contents())

    for _ in range(LIVE_TOKENS_PER_SESSION + 8):
        await service.refreshed(signed_in["refresh_token"])

    kept = 0 if service.issues_jwt else LIVE_TOKENS_PER_SESSION
    assert counts(await service.contents()) == before | {"access_token": kept}


@pytest.mark.only("postgres-jwt", reason="how Postgres updates a row is no other database's affair")
async def test_a_refresh_updates_its_row_in_place(service: Service, signed_in: Json) -> None:
    """HOT: no index grows either, since no column that a refresh writes is in one."""
    before = await updates(service)
    await refresh_often(service, signed_in, 50, seconds=1)
    after = await updates(service)

    assert after.count - before.count == 50
    # A page that has just filled up is pruned at the next visit; that one update may go elsewhere.
    assert after.in_place - before.in_place >= 45
