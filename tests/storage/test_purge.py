"""Clean-up of the tables: all that is over goes, nothing that anyone can need."""

import asyncio
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from authsvc.storage.dialect import by_index_only
from authsvc.storage.estimate import Explain
from authsvc.storage.leases import Lease
from authsvc.storage.purge import WINDOW, Bookmark, Place, Purge, Walk
from authsvc.storage.tables import SessionRow, metadata
from tests.fixtures import old_rows
from tests.fixtures.clock import START
from tests.fixtures.old_rows import Row, access_token_row, account_row, denied_token_row, session_row
from tests.fixtures.service import Service

pytestmark = pytest.mark.only("postgres-jwt", "sqlite-jwt", reason="the tables are the same for both formats")

SECOND = timedelta(seconds=1)
IDLE, ABSOLUTE = timedelta(days=14), timedelta(days=90)
SAFETY = timedelta(seconds=60)
TABLES = ("access_token", "denied_token", "session", "account")


@pytest.fixture
async def account_id(service: Service) -> UUID:
    return (await service.add_account()).id


def purge_of(service: Service) -> Purge:
    return service.stack.services.clean_up.purge


def lease_of(service: Service, holder: str = "a test") -> Lease:
    return Lease("purge", holder, timedelta(seconds=60), service.clock)


async def purged(service: Service) -> dict[str, int]:
    """Remove all that is over; the rows that went, by table."""
    removed = dict.fromkeys(TABLES, 0)
    async for step in purge_of(service).steps(service.clock(), lease_of(service), Bookmark()):
        removed[step.table] += step.removed
    return removed


def near(chance: random.Random, *moments: datetime) -> datetime:
    """A moment at one of these, or a second or some days beside it."""
    aside = chance.choice([0, 1, -1, 60, -60, 61, -61, 86_400, -86_400, 20 * 86_400])
    return chance.choice(moments) + aside * SECOND


def random_sessions(chance: random.Random, account_id: UUID) -> Iterator[Row]:
    for _ in range(WINDOW + 100):
        yield session_row(
            account_id,
            created_at=near(chance, START, START - ABSOLUTE),
            last_used_at=near(chance, START, START - IDLE),
            access_until=near(chance, START, START - SAFETY),
            ended_at=chance.choice([None, near(chance, START)]),
            undelivered=chance.random() < 0.1,
        )


def is_needed(session: Row) -> bool:
    """What the promises say of a session, in words of its own."""
    if session["access_until"] + SAFETY > START:
        return True
    lives_until = min(session["created_at"] + ABSOLUTE, session["last_used_at"] + IDLE)
    return session["ended_at"] is None and lives_until > START


@pytest.mark.parametrize("seed", range(4))
async def test_of_random_rows_those_that_are_over_go_and_all_others_stay(
    service: Service, account_id: UUID, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - cases, no secrets
    sessions = list(random_sessions(chance, account_id))
    expiries = [near(chance, START, START - SAFETY) for _ in range(WINDOW + 100)]
    tokens = [access_token_row(expires_at=moment) for moment in expiries]
    denied = [denied_token_row(expires_at=moment, undelivered=chance.random() < 0.1) for moment in expiries]
    await old_rows.insert(service, "session", sessions)
    await old_rows.insert(service, "access_token", tokens)
    await old_rows.insert(service, "denied_token", denied)

    await purged(service)

    kept = {row["id"] for row in sessions if is_needed(row)}
    assert 0 < len(kept) < len(sessions)
    assert await old_rows.keys(service, "session") == kept
    live = [row for row in tokens if row["expires_at"] + SAFETY > START]
    assert await old_rows.keys(service, "access_token") == {row["sha256"] for row in live}
    still_denied = [row for row in denied if row["expires_at"] + SAFETY > START]
    assert await old_rows.keys(service, "denied_token") == {row["jti"] for row in still_denied}


async def test_a_row_goes_a_minute_after_its_last_token_and_no_second_earlier(
    service: Service, account_id: UUID
) -> None:
    await old_rows.insert(service, "session", [session_row(account_id, access_until=START, ended_at=START)])
    await old_rows.insert(service, "access_token", [access_token_row(expires_at=START)])
    await old_rows.insert(service, "denied_token", [denied_token_row(expires_at=START)])

    service.clock.advance(seconds=59)
    assert sum((await purged(service)).values()) == 0
    service.clock.advance(seconds=1)

    assert await purged(service) == {"access_token": 1, "denied_token": 1, "session": 1, "account": 0}


async def test_limits_that_were_shortened_take_no_session_from_under_a_live_token(
    service: Service, account_id: UUID
) -> None:
    unused = session_row(
        account_id, created_at=START, last_used_at=START, access_until=START + timedelta(hours=24)
    )
    await old_rows.insert(service, "session", [unused])
    strict = Purge(purge_of(service).database, timedelta(minutes=1), timedelta(minutes=1))

    for hours, left in ((1, {unused["id"]}), (24, {unused["id"]}), (24.1, set())):
        service.clock.now = START + timedelta(hours=hours)
        async for _ in strict.steps(service.clock(), lease_of(service), Bookmark()):
            pass
        assert await old_rows.keys(service, "session") == left


async def test_a_deleted_account_goes_with_its_last_session(service: Service, account_id: UUID) -> None:
    alone, awaited = account_row(), account_row()
    await old_rows.insert(service, "account", [alone, awaited])
    last = session_row(awaited["id"], access_until=START, ended_at=START)
    await old_rows.insert(service, "session", [last])

    await purged(service)
    assert await old_rows.keys(service, "account") == {account_id, awaited["id"]}
    service.clock.advance(seconds=60)
    await purged(service)

    assert await old_rows.keys(service, "account") == {account_id}


async def test_the_walk_of_the_sessions_goes_on_where_it_was_left(service: Service, account_id: UUID) -> None:
    lives = {"created_at": START, "last_used_at": START, "access_until": START}
    *ids, last = (UUID(int=number) for number in range(2 * WINDOW + 1))
    rows = [session_row(account_id, id=number, **lives) for number in ids]
    await old_rows.insert(service, "session", [*rows, session_row(account_id, id=last)])
    bookmark, left = Bookmark(), []

    for _ in range(4):
        async for _ in purge_of(service).steps(START, lease_of(service), bookmark, windows=1):
            pass
        left.append((bookmark.after is None, len(await old_rows.keys(service, "session"))))

    assert left == [(False, 1001), (False, 1001), (True, 1000), (False, 1000)]


async def purged_beside(service: Service, locking: sa.Select[Any]) -> dict[str, int]:
    """How many rows are purged while another transaction has locked what *locking* selects."""
    async with service.transaction() as tx:
        await tx.execute(locking)
        purging = asyncio.create_task(purged(service))
        done, _ = await asyncio.wait({purging}, timeout=3)
    removed = await purging

    assert done, "it waits for the lock"
    return removed


@pytest.mark.only("postgres-jwt", reason="SQLite locks no single row")
async def test_a_row_that_somebody_has_locked_is_left_for_the_next_time(
    service: Service, account_id: UUID
) -> None:
    rows = [session_row(account_id) for _ in range(20)]
    await old_rows.insert(service, "session", rows)
    table = metadata.tables["session"]
    one = sa.select(table.c.id).where(table.c.id == rows[7]["id"]).with_for_update()

    removed = await purged_beside(service, one)

    assert removed["session"] == 19
    assert (await purged(service))["session"] == 1


@pytest.mark.only("postgres-jwt", reason="SQLite locks no single row")
@pytest.mark.parametrize("ended_at", [START - SAFETY, None], ids=["ended", "beyond its limits"])
async def test_a_session_whose_token_somebody_has_locked_is_left_with_it(
    service: Service, account_id: UUID, ended_at: datetime | None
) -> None:
    sessions = [session_row(account_id, ended_at=ended_at) for _ in range(20)]
    tokens = [access_token_row(session_id=row["id"]) for row in sessions]
    await old_rows.insert(service, "session", sessions)
    await old_rows.insert(service, "access_token", tokens)
    table = metadata.tables["access_token"]
    one = sa.select(table.c.sha256).where(table.c.sha256 == tokens[7]["sha256"]).with_for_update()

    removed = await purged_beside(service, one)

    assert (removed["access_token"], removed["session"]) == (19, 19)
    assert await old_rows.keys(service, "session") == {sessions[7]["id"]}
    assert await purged(service) == {"access_token": 1, "denied_token": 0, "session": 1, "account": 0}


async def test_nothing_is_locked_between_two_steps(service: Service, account_id: UUID) -> None:
    await old_rows.insert(service, "session", [session_row(account_id) for _ in range(2 * WINDOW)])

    async for _ in purge_of(service).steps(START, lease_of(service), Bookmark()):
        assert purge_of(service).database.engine.pool.checkedout() == 0  # type: ignore[attr-defined] # of the pool that is used
        async with service.transaction() as tx:
            await tx.execute(sa.update(metadata.tables["session"]).values(repeats=1))


@pytest.mark.only("postgres-jwt", reason="the plans of Postgres")
async def test_every_window_is_found_by_an_index(service: Service, account_id: UUID) -> None:
    """Also where the tables are small and all sessions one account's, when reading them is cheap."""
    live = {"created_at": START, "last_used_at": START, "access_until": START + SECOND}
    await old_rows.insert(service, "session", [session_row(account_id, **live) for _ in range(2 * WINDOW)])
    await old_rows.insert(service, "access_token", [access_token_row() for _ in range(2 * WINDOW)])
    await old_rows.insert(service, "denied_token", [denied_token_row() for _ in range(2 * WINDOW)])
    await old_rows.insert(service, "account", [account_row() for _ in range(2 * WINDOW)])
    plans = []

    async with service.transaction() as tx:
        await tx.execute(sa.text("ANALYZE"))
        await by_index_only(tx)
        for walk in purge_of(service).walks(START):
            first = (await tx.execute(walk.window(None))).all()
            asked: list[sa.Select[Any] | sa.Delete] = [walk.window(None)]
            if first:
                last = tuple(first[-1][:-1])
                asked += [walk.window(last), *removals(walk, last, tx.dialect)]
            plans += [(await tx.execute(Explain(statement))).scalar_one() for statement in asked]

    assert len(plans) == 17
    assert [plan for plan in plans if "Seq Scan" in str(plan)] == []


def removals(walk: Walk, last: Place, dialect: sa.Dialect) -> list[sa.Delete]:
    """What deletes the first window, and one behind it."""
    return [walk.removal(None, last, dialect), walk.removal(last, last, dialect)]


@pytest.mark.only("postgres-jwt", reason="the plans of Postgres")
async def test_no_window_is_looked_for_again_at_each_row_of_a_table_that_was_nearly_empty(
    service: Service, account_id: UUID
) -> None:
    """Statistics of before it grew made that look cheap: it took seconds, and slowed all others down."""
    await old_rows.insert(service, "session", [session_row(account_id) for _ in range(20 * WINDOW)])
    async with service.transaction() as tx:
        await tx.execute(sa.delete(metadata.tables["session"]))
        await tx.execute(sa.text("ANALYZE"))
    walks = purge_of(service).walks(START)
    [walk] = [walk for walk in walks if walk.table is SessionRow and len(walk.order) == 1]

    async with service.transaction() as tx:
        await by_index_only(tx)
        plans = [
            (await tx.execute(Explain(statement))).scalar_one()
            for statement in removals(walk, (account_id,), tx.dialect)
        ]

    assert [plan for plan in plans if "Join" in str(plan) or "Nested Loop" in str(plan)] == []


@pytest.mark.parametrize("table", TABLES)
async def test_the_estimate_is_about_the_number_of_rows(
    service: Service, account_id: UUID, table: str
) -> None:
    rows = {
        "access_token": access_token_row,
        "denied_token": denied_token_row,
        "session": lambda: session_row(account_id),
        "account": account_row,
    }
    await old_rows.insert(service, table, [rows[table]() for _ in range(2000)])
    if service.stack.has_redis:
        async with service.transaction() as tx:
            await tx.execute(sa.text("ANALYZE"))

    assert 1900 < await purge_of(service).estimate(START) < 2100
