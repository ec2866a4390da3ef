"""A database that hangs: whoever asks it several times, in one request, still ends inside two seconds."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from time import perf_counter

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from authsvc.clock import system_clock
from authsvc.errors import Unavailable
from authsvc.server_keys import ServerKeys
from authsvc.storage.database import Database
from authsvc.storage.outage import OutageWatch
from authsvc.tokens.key_material import KeyMaterial
from authsvc.tokens.keys import KeyRing
from tests.fixtures.postgres import PostgresServer

TIMEOUT_SECONDS = 0.8
POOL_SIZE = 3
LIMIT_SECONDS = 2.0
QUESTIONS = 3


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.close()


def database_of(server: PostgresServer, *, timeout_seconds: float) -> Database:
    return Database(
        server.url("postgres"),
        pool_size=POOL_SIZE,
        timeout_seconds=timeout_seconds,
        statement_seconds=timeout_seconds,
        outages=OutageWatch(clock=system_clock, overlap=timedelta(seconds=10)),
    )


@pytest.fixture
async def hanging(own_postgres: PostgresServer) -> AsyncIterator[Database]:
    """Every connection of the pool is open, and none answers any more."""
    database = database_of(own_postgres, timeout_seconds=TIMEOUT_SECONDS)
    await asyncio.gather(*(ask(database, "SELECT pg_sleep(0.2)") for _ in range(POOL_SIZE)))
    own_postgres.freeze()
    yield database
    own_postgres.thaw()
    await database.close()


async def ask(database: Database, question: str = "SELECT 1") -> None:
    async with database.reading() as tx:
        await tx.execute(sa.text(question))


async def ask_in_vain(database: Database, *, changes: bool = False) -> float:
    """Ask several times, as one request does; return how long it took."""
    began = perf_counter()
    for _ in range(QUESTIONS):
        with pytest.raises(Unavailable):
            async with database.transaction() if changes else database.reading() as tx:
                await tx.execute(sa.text("SELECT 1"))
    return perf_counter() - began


@pytest.mark.parametrize("changes", [False, True])
async def test_one_that_asks_again_and_again_gives_up_in_time(hanging: Database, changes: bool) -> None:
    assert await ask_in_vain(hanging, changes=changes) < LIMIT_SECONDS


@pytest.mark.usefixtures("hanging")
async def test_unknown_keys_wait_for_a_silent_database_together(own_postgres: PostgresServer) -> None:
    """Though its time-out is longer than the pause between two looks for keys."""
    before = database_errors()
    async with AsyncExitStack() as opened:
        database = database_of(own_postgres, timeout_seconds=1.2)
        opened.push_async_callback(database.close)
        ring = ring_of(database)
        looks = [ring.find(f"unknown-{number}") for number in range(4)]
        ended = await asyncio.gather(*looks, return_exceptions=True)

    assert [type(error) for error in ended] == [Unavailable] * 4
    assert database_errors() == before + 1


async def test_an_unknown_key_waits_for_a_look_that_hangs_whoever_began_it(hanging: Database) -> None:
    ring = ring_of(hanging)
    job = asyncio.create_task(ring.load())
    await asyncio.sleep(0.1)

    is_denied_at_once = ring.lacks("of-another-instance", system_clock())
    found = await asyncio.gather(ring.find("of-another-instance"), job, return_exceptions=True)

    assert [type(error) for error in found] == [Unavailable] * 2
    assert not is_denied_at_once


async def test_a_look_that_was_given_up_is_no_answer_to_those_behind_it(hanging: Database) -> None:
    ring = ring_of(hanging)
    given_up = asyncio.create_task(ring.find("of-another-instance"))
    await asyncio.sleep(0.1)
    waiting = asyncio.create_task(ring.find("of-another-instance"))
    await asyncio.sleep(0)

    given_up.cancel()
    ended = await asyncio.gather(given_up, waiting, return_exceptions=True)

    assert [type(error) for error in ended] == [asyncio.CancelledError, Unavailable]


def ring_of(database: Database) -> KeyRing:
    secret = "a secret of this test and of nothing else"
    return KeyRing(database, KeyMaterial(ServerKeys([secret])), system_clock)


def database_errors() -> float:
    return REGISTRY.get_sample_value("authsvc_store_errors_total", {"store": "database"}) or 0


async def test_of_more_than_there_are_connections_everybody_gives_up_in_time(hanging: Database) -> None:
    requests = [asyncio.create_task(ask_in_vain(hanging)) for _ in range(3 * POOL_SIZE)]

    assert max(await asyncio.gather(*requests)) < LIMIT_SECONDS


async def test_another_request_has_its_whole_patience(hanging: Database) -> None:
    await asyncio.create_task(ask_in_vain(hanging))

    began = perf_counter()
    with pytest.raises(Unavailable):
        await ask(hanging)

    assert perf_counter() - began >= TIMEOUT_SECONDS


async def test_who_leaves_while_it_hangs_is_not_kept(hanging: Database) -> None:
    began = perf_counter()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await ask(hanging)

    assert perf_counter() - began < TIMEOUT_SECONDS


async def test_it_is_asked_again_as_soon_as_it_answers(
    hanging: Database, own_postgres: PostgresServer
) -> None:
    await asyncio.create_task(ask_in_vain(hanging))

    own_postgres.thaw()

    await asyncio.create_task(ask(hanging))
