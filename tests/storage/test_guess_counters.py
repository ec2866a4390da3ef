"""Guesses are counted alike in Redis and in the process: all or nothing, leaking, in a fixed room."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest
from redis.asyncio import Redis

from authsvc.storage.guess_slots import BUCKETS, Counters, Full, Limit, Slot
from authsvc.storage.process_guess_counters import ProcessGuessCounters
from authsvc.storage.redis_address import RedisAddress
from authsvc.storage.redis_guess_counters import BUCKETS_OF_A_KEY, KEY, RedisGuessCounters
from authsvc.storage.redis_link import RedisLink
from authsvc.storage.redis_route import RedisRoute
from tests.fixtures.redis import RedisServer

NOW = 1_800_000_000_000
HOUR = 3_600_000
PAIR, ADDRESS, ACCOUNT = Limit("account and address", 4), Limit("address", 6), Limit("account", 9)
KINDS = (PAIR, ADDRESS, ACCOUNT)
_DATABASE = 3


@pytest.fixture
async def redis_client(redis: RedisServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis.url(_DATABASE)) as client:
        await client.flushdb()
        yield client
        await client.flushdb()


@pytest.fixture
async def in_redis(redis: RedisServer, redis_client: Redis) -> AsyncIterator[RedisGuessCounters]:
    assert redis_client is not None
    counters = RedisGuessCounters(
        RedisLink(RedisRoute(RedisAddress.read(redis.url(_DATABASE), timeout_seconds=5)))
    )
    await counters.link.open()
    yield counters
    await counters.link.close()


@pytest.fixture(params=["redis", "process"])
def counters(request: pytest.FixtureRequest, in_redis: RedisGuessCounters) -> Counters:
    return in_redis if request.param == "redis" else ProcessGuessCounters()


def slots(*buckets: int) -> list[Slot]:
    return [Slot(limit, bucket) for limit, bucket in zip(KINDS, buckets, strict=False)]


async def filled(counters: Counters, where: list[Slot], *, now: int = NOW) -> int:
    """How many guesses there is room for, which is then used up."""
    count = 0
    while await counters.reserve(where, now) is None:
        count += 1
    return count


async def test_so_many_at_once_and_then_one_an_interval(counters: Counters) -> None:
    where = slots(1)

    assert await filled(counters, where) == 4
    assert await counters.reserve(where, NOW) == Full("account and address", PAIR.interval)
    assert await counters.reserve(where, NOW + PAIR.interval - 1) == Full("account and address", 1)
    assert await filled(counters, where, now=NOW + PAIR.interval) == 1
    assert await filled(counters, where, now=NOW + 2 * HOUR) == 4


async def test_an_hour_of_guessing_has_room_for_twice_the_limit(counters: Counters) -> None:
    where = slots(1, 1, 1)[2:]

    evaluated = sum([await counters.reserve(where, NOW + s * 1000) is None for s in range(0, 3600, 5)])

    assert evaluated == 2 * ACCOUNT.capacity - 1


async def test_a_refusal_counts_nowhere(counters: Counters) -> None:
    await filled(counters, slots(1, 1, 1))

    for _ in range(20):
        assert await counters.reserve(slots(1, 2, 2), NOW) == Full("account and address", PAIR.interval)

    assert await filled(counters, slots(2, 2, 2)) == 4
    assert await counters.reserve(slots(3, 2, 3), NOW) is None


async def test_the_longest_wait_is_named(counters: Counters) -> None:
    await filled(counters, [Slot(ADDRESS, 1)])
    await filled(counters, [Slot(ACCOUNT, 1)])

    assert await counters.reserve(slots(1, 1, 1), NOW) == Full("address", ADDRESS.interval)
    assert await counters.reserve(slots(1, 2, 1), NOW) == Full("account", ACCOUNT.interval)


async def test_what_is_given_back_is_there_again(counters: Counters) -> None:
    where = slots(1, 1, 1)
    await filled(counters, where)

    await counters.give_back(where, NOW)

    assert await filled(counters, where) == 1


async def test_nothing_is_given_back_twice_over(counters: Counters) -> None:
    where = slots(1)
    assert await counters.reserve(where, NOW) is None
    for _ in range(5):
        await counters.give_back(where, NOW + HOUR)

    assert await filled(counters, where, now=NOW + HOUR) == 4


async def test_limits_and_buckets_do_not_mix(counters: Counters) -> None:
    for limit in KINDS:
        for bucket in (0, 1, BUCKETS_OF_A_KEY - 1, BUCKETS_OF_A_KEY, BUCKETS - 1):
            assert await filled(counters, [Slot(limit, bucket)]) == limit.capacity


async def test_a_clock_that_was_far_ahead_locks_nobody_out(counters: Counters) -> None:
    where = slots(1)
    await filled(counters, where, now=NOW + 1000 * HOUR)

    assert await counters.reserve(where, NOW) == Full("account and address", PAIR.interval)
    await counters.give_back(where, NOW)
    assert await filled(counters, where, now=NOW + 1000 * HOUR) in {0, 1}


async def test_of_many_at_once_only_so_many_get_in(counters: Counters) -> None:
    answers = await asyncio.gather(*(counters.reserve(slots(1, 1, 1), NOW) for _ in range(300)))

    assert answers.count(None) == PAIR.capacity


async def test_both_answer_alike_whatever_comes(in_redis: RedisGuessCounters) -> None:
    random = Random(17)  # noqa: S311 - the same guesses every time
    now, here = NOW, ProcessGuessCounters()
    for _ in range(1500):
        now += random.choice([0, 0, 1, 999, PAIR.interval // 2, -HOUR, 3 * HOUR])
        where = slots(*(random.randrange(3) for _ in range(random.choice([2, 3]))))
        if random.random() < 0.2:
            await in_redis.give_back(where, now)
            await here.give_back(where, now)
        else:
            assert await in_redis.reserve(where, now) == await here.reserve(where, now)


async def test_redis_keeps_a_fixed_number_of_keys_of_a_stated_size(
    in_redis: RedisGuessCounters, redis_client: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (await redis_client.info("memory"))["used_memory"]
    keys_of_a_limit = BUCKETS // BUCKETS_OF_A_KEY

    for at in range(0, keys_of_a_limit, 256):
        numbers = [number * BUCKETS_OF_A_KEY for number in range(at, at + 256)]
        await asyncio.gather(*(in_redis.reserve(slots(n, n, n), NOW) for n in numbers))
    grown = (await redis_client.info("memory"))["used_memory"] - before
    for at in range(0, 5000, 250):
        others = [number * 7919 % BUCKETS for number in range(at, at + 250)]
        await asyncio.gather(*(in_redis.reserve(slots(n, n, n), NOW) for n in others))
    after = (await redis_client.info("memory"))["used_memory"] - before

    keys = [key async for key in redis_client.scan_iter(f"{KEY}*", count=5000)]
    with capsys.disabled():
        print(f"\nbuckets of guesses in Redis: {len(keys)} keys, {after / 2**20:.1f} MiB, all there are")
    assert len(keys) == 3 * keys_of_a_limit == 6144
    assert {await redis_client.strlen(key) for key in keys[:50]} == {6 * BUCKETS_OF_A_KEY}
    assert after < 20 * 2**20
    assert after - grown < 2**20
    assert all([0 < await redis_client.pttl(key) <= HOUR + 60_000 for key in keys[:50]])
