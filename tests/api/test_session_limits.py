"""P7: no access token outlives its session's idle or absolute limit, on a clock between two seconds too."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.clock import START
from tests.fixtures.service import DEAD, LIVE, Json, Registered, Service

IDLE, ABSOLUTE, LIFETIME = 60, 150, 100
FRACTIONS = [0, 400_000, 999_999]


@pytest.fixture(params=FRACTIONS, ids=lambda microseconds: f"{microseconds} microseconds past")
async def short(request: pytest.FixtureRequest, service: Service, service_with: MakeService) -> Service:
    """A service with short limits, and an account; its clock stands so far past a whole second."""
    service.clock.advance(microseconds=request.param)
    await service.add_account()
    return await service_with(
        session_idle_seconds=IDLE, session_max_seconds=ABSOLUTE, access_token_seconds=LIFETIME
    )


async def assert_within(service: Service, tokens: Json, caller: Registered, limit: datetime) -> None:
    """The access token says, and does, that it is over by *limit*."""
    facts = await service.introspect(tokens["access_token"], caller)
    assert datetime.fromtimestamp(facts["exp"], UTC) <= limit
    assert tokens["expires_in"] == facts["exp"] - facts["iat"] > 0
    assert datetime.fromtimestamp(facts["iat"], UTC) <= service.clock()
    back = service.clock()

    service.clock.now = datetime.fromtimestamp(facts["exp"], UTC) - timedelta(microseconds=1)
    assert await service.doors(tokens["access_token"], caller) == LIVE
    service.clock.now = datetime.fromtimestamp(facts["exp"], UTC)
    assert await service.doors(tokens["access_token"], caller) == DEAD
    service.clock.now = back


async def test_an_access_token_does_not_outlive_the_idle_limit(short: Service, caller: Registered) -> None:
    tokens = await short.login()
    assert tokens["expires_in"] == IDLE
    await assert_within(short, tokens, caller, short.clock() + timedelta(seconds=IDLE))

    short.clock.advance(seconds=30)
    refreshed = await short.refreshed(tokens["refresh_token"])

    assert refreshed["expires_in"] == IDLE
    await assert_within(short, refreshed, caller, short.clock() + timedelta(seconds=IDLE))


async def test_an_access_token_does_not_outlive_the_absolute_limit(
    short: Service, caller: Registered
) -> None:
    end = short.clock() + timedelta(seconds=ABSOLUTE)
    tokens = await short.login()
    for _ in range(2):
        short.clock.advance(seconds=50)
        tokens = await short.refreshed(tokens["refresh_token"])
    short.clock.advance(seconds=20, milliseconds=300)

    last = await short.refreshed(tokens["refresh_token"])

    assert last["expires_in"] in {29, 30}
    await assert_within(short, last, caller, end)


async def test_a_repeat_obeys_the_absolute_limit_too(short: Service, caller: Registered) -> None:
    end = short.clock() + timedelta(seconds=ABSOLUTE)
    tokens = await short.login()
    for _ in range(3):
        short.clock.advance(seconds=47)
        predecessor, tokens = tokens, await short.refreshed(tokens["refresh_token"])
    short.clock.advance(seconds=5, milliseconds=250)

    await assert_within(short, await short.refreshed(predecessor["refresh_token"]), caller, end)


@pytest.mark.parametrize("before_the_limit", [1_000, 1_500, 2_000])
@pytest.mark.parametrize("limit", ["idle", "absolute"])
async def test_near_a_limit_a_refresh_gives_a_token_that_can_be_used(
    short: Service, caller: Registered, before_the_limit: int, limit: str
) -> None:
    began = short.clock()
    tokens = await short.login()
    end = began + timedelta(seconds=IDLE)
    if limit == "absolute":
        for _ in range(2):
            short.clock.advance(seconds=50)
            tokens = await short.refreshed(tokens["refresh_token"])
        end = began + timedelta(seconds=ABSOLUTE)
    # As far as a token's `exp` can say: in whole seconds.
    short.clock.now = end.replace(microsecond=0) - timedelta(milliseconds=before_the_limit)

    answer = await short.refreshed(tokens["refresh_token"])

    assert answer["expires_in"] > 0
    await assert_within(
        short,
        answer,
        caller,
        min(began + timedelta(seconds=ABSOLUTE), short.clock() + timedelta(seconds=IDLE)),
    )


@pytest.mark.parametrize("limit", ["idle", "absolute"])
async def test_beyond_a_limit_a_session_gives_nothing_more_and_is_not_ended(
    short: Service, limit: str
) -> None:
    tokens = await short.login()
    if limit == "absolute":
        for _ in range(2):
            short.clock.advance(seconds=50)
            tokens = await short.refreshed(tokens["refresh_token"])
    short.clock.advance(seconds=IDLE if limit == "idle" else ABSOLUTE - 100)
    before = await short.contents()

    assert_oauth_error(await short.refresh(tokens["refresh_token"]), 400, "invalid_grant")

    assert await short.contents() == before


async def test_a_check_is_no_use_of_the_session(short: Service, caller: Registered) -> None:
    tokens = await short.login()
    for _ in range(6):
        assert await short.doors(tokens["access_token"], caller) == LIVE
        short.clock.advance(seconds=9.5)

    short.clock.advance(seconds=3)

    assert await short.doors(tokens["access_token"], caller) == DEAD
    assert_oauth_error(await short.refresh(tokens["refresh_token"]), 400, "invalid_grant")


async def test_a_refresh_token_is_inactive_beyond_the_limits(service: Service) -> None:
    await service.add_account()
    client = await service.add_client()
    tokens = await service.login(client)
    described = await service.introspect(tokens["refresh_token"], client)
    assert described["exp"] == int((START + timedelta(days=14)).timestamp())

    service.clock.advance(days=14)

    assert await service.introspect(tokens["refresh_token"], client) == {"active": False}


async def test_use_moves_the_idle_limit_and_never_the_absolute_one(service: Service) -> None:
    """With the defaults: 14 days unused, 90 days at all."""
    await service.add_account()
    tokens = await service.login()
    for _ in range(8):
        service.clock.advance(days=11)
        tokens = await service.refreshed(tokens["refresh_token"])
    service.clock.advance(days=2, seconds=-1)
    last = await service.refreshed(tokens["refresh_token"])
    assert last["expires_in"] == 1

    service.clock.advance(seconds=1)

    assert_oauth_error(await service.refresh(last["refresh_token"]), 400, "invalid_grant")
