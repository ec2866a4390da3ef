"""Guesses stay counted whatever happens to Redis, and they never crowd out a denial (P17, P8, P9)."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from authsvc.storage.guess_slots import BUCKETS, Slot
from authsvc.storage.redis_guess_counters import BUCKETS_OF_A_KEY, KEY
from authsvc.throttling import Guess
from tests.conftest import MakeService
from tests.fixtures.guessing import ELSEWHERE, HOME, Try, guess, log_in, statuses
from tests.fixtures.logs import written
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import Registered, Service
from tests.fixtures.stack import ADDRESS, Stack

pytestmark = pytest.mark.only(
    "postgres-jwt", reason="the embedded default has no Redis; opaque tokens no denial"
)
HERE = ADDRESS[0]
OF_PAIR = 3
COUNTED_HERE = "authsvc_guesses_counted_here_total"
STORE_ERRORS = 'authsvc_store_errors_total{store="redis"}'
ROOM = 20 * 2**20
"""The bytes that docs/guessing.md states."""


@pytest.fixture(params=["stopped", "frozen"])
async def lose_redis(
    request: pytest.FixtureRequest, redis: RedisServer, stack: Stack
) -> AsyncIterator[Callable[[], None]]:
    yield redis.stop if request.param == "stopped" else redis.freeze
    redis.start()
    # The next test begins with a connection of its own, not with one that died here.
    assert stack.redis is not None
    await stack.redis.connection_pool.disconnect()


@pytest.fixture
async def guarded(service: Service, service_with: MakeService) -> Service:
    await service.add_account()
    return await service_with(
        guesses_per_account_and_address=OF_PAIR, redis_timeout_seconds=0.25, hash_max_wait_seconds=60
    )


def redis_of(service: Service) -> Redis:
    assert service.stack.redis is not None
    return service.stack.redis


async def keys(service: Service) -> int:
    return len([key async for key in redis_of(service).scan_iter(f"{KEY}*", count=5000)])


async def test_with_redis_away_the_process_counts(guarded: Service, lose_redis: Callable[[], None]) -> None:
    before = await guarded.metric(COUNTED_HERE)
    lose_redis()

    answers = await statuses(guarded, [Try(HERE)] * 12)

    assert answers == {400: OF_PAIR, 429: 12 - OF_PAIR}
    assert (await log_in(guarded, ELSEWHERE)).status_code == 200
    assert await guarded.metric(COUNTED_HERE) == before + 13


@pytest.mark.parametrize(("lose_redis", "asked"), [("stopped", 1), ("frozen", 2)], indirect=["lose_redis"])
async def test_a_redis_that_is_away_is_asked_once_and_then_by_a_job_alone(
    guarded: Service, lose_redis: Callable[[], None], asked: int
) -> None:
    lose_redis()
    before = await guarded.metric(STORE_ERRORS)

    for _ in range(8):
        assert (await log_in(guarded, HOME)).status_code == 200

    # Once by the denylist, which was asked whether the client had changed; and once for the guesses, unless
    # the end of their connection was seen before.
    assert await guarded.metric(STORE_ERRORS) == before + asked


async def test_when_it_is_back_all_instances_count_together_again(
    guarded: Service, service_with: MakeService, redis: RedisServer, lose_redis: Callable[[], None]
) -> None:
    other = await service_with(guesses_per_account_and_address=OF_PAIR)
    counters = guarded.stack.services.stores.guess_counters
    lose_redis()
    with written() as log:
        await guess(guarded, HOME)
        await counters.look()
        await counters.look()
        redis.start()
        await counters.look()
        await other.stack.services.stores.guess_counters.look()
        tries = [(await guess(which, HERE)).status_code for which in (guarded, other) * 2]

    assert tries == [400, 400, 400, 429]
    told = [line["event"] for line in log.events("guesses_counted_here", "guesses_counted_together")]
    assert told == ["guesses_counted_here", "guesses_counted_together"]


async def test_a_slot_reserved_in_redis_that_then_goes_away_costs_no_login(
    guarded: Service, lose_redis: Callable[[], None]
) -> None:
    throttle = guarded.stack.services.accounts.throttle

    async def right() -> bool:
        lose_redis()
        return True

    assert await throttle.guard(Guess("ada", None, HERE), right)


async def test_full_of_guesses_redis_still_takes_every_denial(guarded: Service, caller: Registered) -> None:
    redis, stores = redis_of(guarded), guarded.stack.services.stores
    token = (await guarded.login())["access_token"]
    undelivered = await guarded.metric('authsvc_events_total{event="denial_undelivered"}')
    # A memory that its own data, the stated room and a few denials fit in, and nothing more.
    used = (await redis.info("memory"))["used_memory"]
    await _guess_at_names(guarded, 6_000)
    assert await keys(guarded) <= 6144
    await redis.config_set("maxmemory", used + ROOM + 2**20)
    try:
        await _fill_every_bucket(guarded)
        full = await keys(guarded)

        assert (await guarded.as_user("POST", "/logout", token)).status_code == 204

        assert full == 3 * BUCKETS // BUCKETS_OF_A_KEY == 6144
        assert not await guarded.is_live(token, caller)
        assert await redis.keys("{authsvc}:sid:*") != []
        assert await guarded.metric('authsvc_events_total{event="denial_undelivered"}') == undelivered
        assert stores.guess_counters.shared is not None
        assert stores.guess_counters.shared.link.node is not None
    finally:
        await redis.config_set("maxmemory", 0)


async def _fill_every_bucket(service: Service) -> None:
    """Make every key there can be; a bucket more in one takes no more memory."""
    throttle, counters = (
        service.stack.services.accounts.throttle,
        service.stack.services.stores.guess_counters,
    )
    limits = (throttle.of_pair, throttle.of_address, throttle.of_account)
    now = int(service.clock().timestamp() * 1000)
    for at in range(0, BUCKETS, 256 * BUCKETS_OF_A_KEY):
        buckets = range(at, min(at + 256 * BUCKETS_OF_A_KEY, BUCKETS), BUCKETS_OF_A_KEY)
        await asyncio.gather(
            *(counters.reserve([Slot(limit, bucket) for limit in limits], now) for bucket in buckets)
        )


async def _guess_at_names(service: Service, count: int) -> None:
    """Guess from as many addresses at as many names, without the hashing."""

    async def wrong() -> bool:
        return False

    guard = service.stack.services.accounts.throttle.guard
    for at in range(0, count, 250):
        guesses = [
            Guess(f"user-{n}", None, f"2001:db8:{n >> 8:x}:{n & 255:x}::1") for n in range(at, at + 250)
        ]
        await asyncio.gather(*(guard(one, wrong) for one in guesses))


async def test_a_redis_that_has_no_room_left_costs_no_login(guarded: Service) -> None:
    redis = redis_of(guarded)
    await redis.config_set("maxmemory", 1)
    try:
        answers = await statuses(guarded, [Try(HERE)] * 6)
        assert answers == {400: OF_PAIR, 429: 6 - OF_PAIR}
        assert (await log_in(guarded, ELSEWHERE)).status_code == 200
    finally:
        await redis.config_set("maxmemory", 0)
