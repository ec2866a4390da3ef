"""An account has so many sessions at a time; one more ends the oldest."""

import asyncio

import pytest
import sqlalchemy as sa

from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import DEAD, LIVE, Json, Registered, Service

AT_MOST = 3


@pytest.fixture
async def crowded(service_with: MakeService, service: Service) -> Service:
    """A service that allows an account three sessions, and an account."""
    await service.add_account()
    return await service_with(sessions_per_account=AT_MOST)


async def login_often(service: Service, count: int) -> list[Json]:
    """The tokens of *count* logins, a second apart."""
    made = []
    for _ in range(count):
        service.clock.advance(seconds=1)
        made.append(await service.login())
    return made


async def test_one_session_too_many_ends_the_oldest_and_its_tokens(
    crowded: Service, caller: Registered
) -> None:
    made = await login_often(crowded, AT_MOST)
    # The one used last is still the oldest.
    made[0] = await crowded.refreshed(made[0]["refresh_token"])
    assert [await crowded.doors(one["access_token"], caller) for one in made] == [LIVE] * AT_MOST

    made += await login_often(crowded, 1)

    assert await crowded.doors(made[0]["access_token"], caller) == DEAD
    assert_oauth_error(await crowded.refresh(made[0]["refresh_token"]), 400, "invalid_grant")
    assert [await crowded.doors(one["access_token"], caller) for one in made[1:]] == [LIVE] * AT_MOST


async def test_a_session_that_has_ended_takes_no_place(crowded: Service, caller: Registered) -> None:
    made = await login_often(crowded, AT_MOST)
    await crowded.as_user("POST", "/logout", made[1]["access_token"])

    made += await login_often(crowded, 1)

    assert [await crowded.is_live(one["access_token"], caller) for one in made] == [True, False, True, True]


async def test_another_account_has_places_of_its_own(crowded: Service, caller: Registered) -> None:
    await crowded.add_account("grace@example.com")
    other = await crowded.login(username="grace@example.com")

    await login_often(crowded, AT_MOST + 1)

    assert await crowded.doors(other["access_token"], caller) == LIVE


async def test_logins_at_once_leave_no_more_than_there_are_places(crowded: Service) -> None:
    answers = await asyncio.gather(*(crowded.login() for _ in range(AT_MOST + 3)))

    assert len({answer["refresh_token"] for answer in answers}) == AT_MOST + 3
    assert sum(session.ended_at is None for session in await crowded.sessions()) == AT_MOST


async def test_a_login_by_a_clock_that_was_set_back_does_not_end_itself(
    crowded: Service, caller: Registered
) -> None:
    made = await login_often(crowded, AT_MOST)
    crowded.clock.advance(seconds=-AT_MOST - 1)

    last = await crowded.login()

    assert await crowded.doors(last["access_token"], caller) == LIVE
    assert sum(session.ended_at is None for session in await crowded.sessions()) == AT_MOST
    assert not await crowded.is_live(made[0]["access_token"], caller)


async def test_a_lowered_bound_ends_as_many_as_it_takes(service: Service, crowded: Service) -> None:
    await login_often(service, AT_MOST + 3)
    await login_often(crowded, 1)

    ended = [session.ended_at is not None for session in await crowded.sessions()]
    assert ended == [True] * 4 + [False] * AT_MOST


@pytest.mark.only("postgres-jwt", "postgres-opaque", reason="on SQLite there is one writer at a time")
async def test_a_login_that_cannot_end_the_oldest_now_gets_in_and_the_next_one_ends_it(
    crowded: Service, service_with: MakeService, caller: Registered
) -> None:
    impatient = await service_with(sessions_per_account=AT_MOST, database_timeout_seconds=0.5)
    made = await login_often(impatient, AT_MOST)
    async with crowded.transaction() as tx:
        await tx.execute(sa.text("SELECT 1 FROM session FOR UPDATE"))
        made += await login_often(impatient, 1)
    assert [await crowded.doors(one["access_token"], caller) for one in made] == [LIVE] * (AT_MOST + 1)

    made += await login_often(impatient, 1)

    assert [await crowded.doors(one["access_token"], caller) for one in made] == [DEAD] * 2 + [LIVE] * AT_MOST
