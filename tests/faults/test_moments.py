"""What goes wrong at one very moment: done on purpose, and judged by the checker like a whole load."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from redis import Redis
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.faults.checker import check
from tests.faults.person import Person
from tests.faults.record import Notes
from tests.faults.scene import Scene
from tests.faults.world import Pair, World
from tests.fixtures.database import execute, query

# The first makes the world, and one restarts an instance twice.
pytestmark = pytest.mark.timeout(240)
DENIALS = "{authsvc}:sid:*"
LOADING = "{authsvc}:loading:*"
MARKED = "SELECT count(*) FROM session WHERE undelivered"
WAIT_SECONDS = 20


@pytest.fixture
def pair(world: World) -> Pair:
    """The instances that issue JWTs, about which Redis is asked."""
    (found,) = [pair for pair in world.pairs if pair.token_format == "jwt"]
    for instance in found.instances.values():
        instance.wait_until_ready()
    return found


@pytest.fixture
def person(world: World, pair: Pair) -> Person:
    return Person(pair, world.overlap)


@pytest.fixture
def redis(pair: Pair) -> Iterator[Redis]:
    with Redis.from_url(pair.installation.settings["AUTHSVC_REDIS_URL"]) as client:
        yield client


def found_wrong(person: Person) -> list[str]:
    return [str(violation) for violation in check(person.record).wrong]


@contextmanager
def no_end_committed(pair: Pair) -> Iterator[None]:
    """Let Postgres take every statement and refuse the commit, as when its disk is full."""
    database = pair.installation.database_url
    function = "BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END"
    execute(
        database,
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $${function}$$",
        "CREATE CONSTRAINT TRIGGER refused AFTER UPDATE OF ended_at ON session "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    try:
        yield
    finally:
        execute(database, "DROP FUNCTION refuse CASCADE")


@pytest.mark.demand("F-04")
def test_a_session_whose_end_could_not_be_committed_lives(pair: Pair, person: Person) -> None:
    tokens = person.log_in("a")

    with no_end_committed(pair), Notes((person.record,)).span("database dead"):
        assert person.log_out("a", tokens.access) == 503
    alive = person.check_everywhere(tokens.access)

    assert found_wrong(person) == []
    assert alive == [True, True]
    assert person.log_out("a", tokens.access) == 204
    assert person.check_everywhere(tokens.access) == [False, False]


@pytest.mark.demand("F-01")
def test_a_flush_while_the_denylist_is_loaded_revives_nothing(
    pair: Pair, person: Person, redis: Redis
) -> None:
    tokens = person.log_in("a")
    person.log_out("a", tokens.access)
    # One instance loads, or the other would mend what this one did.
    pair.instances["b"].redis.cut()
    try:
        asyncio.run(_flush_amid_a_load(pair, redis))
        pair.instances["a"].wait_until_ready()
        dead = person.check_everywhere(tokens.access)
    finally:
        pair.instances["b"].redis.mend()

    assert found_wrong(person) == []
    assert dead == [False, False]


async def _flush_amid_a_load(pair: Pair, redis: Redis) -> None:
    """Flush, let the load come as far as behind its first denials, and flush once more."""
    engine = create_async_engine(pair.installation.database_url, poolclass=NullPool)
    async with engine.begin() as behind:
        async with engine.begin() as before:
            await before.exec_driver_sql("LOCK TABLE lease IN EXCLUSIVE MODE")
            redis.flushdb()
            await _appears(redis, LOADING)
            await behind.exec_driver_sql("LOCK TABLE denied_token IN ACCESS EXCLUSIVE MODE")
        await _appears(redis, DENIALS)
        redis.flushdb()


async def _appears(redis: Redis, pattern: str) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not redis.keys(pattern):  # noqa: ASYNC110 - Redis has no event for it
            await asyncio.sleep(0.002)


@pytest.mark.demand("F-04")
def test_what_a_broken_connection_lost_is_told_to_the_next(pair: Pair, person: Person, redis: Redis) -> None:
    tokens = person.log_in("a")
    person.log_out("a", tokens.access)
    lines = [instance.redis for instance in pair.instances.values()]

    for line in lines:
        line.cut()
    redis.delete(*redis.keys(DENIALS))  # the marker stays: nothing there tells that something is gone
    for line in lines:
        line.drop()
        line.mend()
    for instance in pair.instances.values():
        instance.wait_until_ready()
    dead = person.check_everywhere(tokens.access)

    assert found_wrong(person) == []
    assert dead == [False, False]


@pytest.mark.demand("F-04")
def test_what_an_instance_without_redis_ends_the_other_tells_redis(
    pair: Pair, person: Person, redis: Redis
) -> None:
    """While it has none: were it to deliver that itself once it is back, others would say live until then."""
    tokens = person.log_in("a")
    line = pair.instances["a"].redis

    line.cut()
    try:
        with Notes((person.record,)).span("redis unwritable"):
            person.log_out("a", tokens.access)
        is_told = _within(WAIT_SECONDS, lambda: bool(redis.keys(DENIALS)))
        dead = person.check_everywhere(tokens.access)
    finally:
        line.mend()

    assert is_told
    assert found_wrong(person) == []
    assert dead == [False, False]
    assert _within(WAIT_SECONDS, lambda: query(pair.installation.database_url, MARKED) == [(0,)])


def test_a_redis_that_was_silent_is_asked_again_when_it_answers(world: World, pair: Pair) -> None:
    instance = pair.instances["a"]

    world.redis.freeze()
    was_degraded = _within(WAIT_SECONDS, lambda: instance.readiness() == "degraded")
    world.redis.thaw()

    assert was_degraded
    assert _within(WAIT_SECONDS, lambda: instance.readiness() == "ready")


def _within(seconds: float, happens: Callable[[], bool]) -> bool:
    """Whether it *happens* by then, looking again and again."""
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.demand("F-10")
def test_a_deploy_that_shortens_access_tokens_shortens_no_denial(
    world: World, pair: Pair, person: Person, redis: Redis
) -> None:
    """Of a token that an instance with the old settings issued."""
    scene = Scene(world, (person.record,), 0)
    scene.redeploy(pair, "a", ACCESS_TOKEN_SECONDS="5")
    try:
        longer = person.log_in("b")
        shorter = person.refresh("a", longer.refresh)
        person.log_out("a", shorter.refresh)
        _let_time_pass(redis, seconds=70)
        pair.instances["b"].wait_until_ready()
        dead = person.check_everywhere(longer.access)
    finally:
        scene.redeploy(pair, "a", ACCESS_TOKEN_SECONDS="300")

    assert found_wrong(person) == []
    assert dead == [False, False]


def _let_time_pass(redis: Redis, *, seconds: float) -> None:
    """Let every denial be so much nearer to its end, as Redis counts."""
    for key in redis.keys(DENIALS):
        redis.pexpire(key, redis.pttl(key) - round(seconds * 1000))


@pytest.mark.demand("F-10")
def test_a_rotated_refresh_token_is_a_replay_once_its_overlap_is_over(world: World, person: Person) -> None:
    first = person.log_in("a")
    second = person.refresh("b", first.refresh)
    time.sleep(world.overlap + 0.5)

    status = person.replay("a", first.refresh)

    assert found_wrong(person) == []
    assert status == 400
    assert person.check_everywhere(second.access) == [False, False]
