"""Rotations that come at the same time share a statement, and each is as if it had come alone."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from authsvc.errors import Unavailable
from authsvc.storage import access_tokens, sessions
from authsvc.storage.database import Database
from authsvc.storage.rotations import Rotations
from authsvc.storage.session_uses import SessionUses
from authsvc.storage.sessions import Session
from authsvc.storage.tables import metadata
from tests.conftest import MakeService
from tests.fixtures.clock import START
from tests.fixtures.service import Service
from tests.fixtures.sessions import SECOND, new_session, rotation, token
from tests.fixtures.statements import statements

pytestmark = pytest.mark.only("postgres-jwt", reason="on SQLite each is written by itself")


@pytest.fixture
def database(service: Service) -> Database:
    return service.stack.services.stores.database


@pytest.fixture
async def some(service: Service) -> list[Session]:
    """Sessions of one account, in the order of their ids."""
    account = await service.add_account()
    made = [new_session(account.id) for _ in range(20)]
    async with service.transaction() as tx:
        for session in made:
            await sessions.insert(tx, session)
    return sorted(made, key=lambda session: session.id)


@pytest.fixture
def session(some: list[Session]) -> Session:
    return some[0]


async def generations(service: Service) -> list[int]:
    found = sorted(await service.sessions(), key=lambda session: session.id)
    return [session.generation for session in found]


async def stored(service: Service) -> dict[Any, tuple[Any, Any]]:
    """Of each opaque token that is stored, its session and its number."""
    table = metadata.tables["access_token"]
    async with service.transaction() as tx:
        found = await tx.execute(sa.select(table.c.sha256, table.c.session_id, table.c.number))
        return {sha256: (session_id, number) for sha256, session_id, number in found}


@pytest.mark.parametrize("has_token", [False, True], ids=["alone", "with a token"])
async def test_those_that_come_at_once_are_one_statement_and_each_has_its_own(
    service: Service, database: Database, some: list[Session], *, has_token: bool
) -> None:
    uses = SessionUses(database)
    untils = [START + (400 + n) * SECOND for n in range(len(some))]
    asked = [rotation(one, until=until) for one, until in zip(some, untils, strict=True)]
    tokens = [token(one) if has_token else None for one in some]

    with statements(database) as sent:
        numbers = await asyncio.gather(*map(uses.write, reversed(asked), reversed(tokens)))

    assert len(sent) == 1
    assert numbers == [2] * len(some)
    assert await generations(service) == [2] * len(some)
    found = {one.id: one.access_until for one in await service.sessions()}
    assert found == {one.id: until for one, until in zip(some, untils, strict=True)}
    assert await stored(service) == {one.sha256: (one.session_id, 2) for one in tokens if one is not None}


async def test_those_that_come_while_one_is_written_share_the_next(
    database: Database, some: list[Session]
) -> None:
    uses = SessionUses(database)

    with statements(database) as sent:
        first = asyncio.create_task(uses.write(rotation(some[0])))
        for _ in range(3):  # it asks, the batch begins, the statement is sent
            await asyncio.sleep(0)
        await asyncio.gather(*(uses.write(rotation(one)) for one in some[1:]))

    assert await first == 2
    assert len(sent) == 2


async def test_of_two_of_one_session_in_a_batch_the_first_is_written_whole(
    service: Service, database: Database, session: Session
) -> None:
    rotations = Rotations(database, with_token=True)
    one, other = token(session), token(session)

    numbers = await asyncio.gather(
        rotations.write(rotation(session, 2), one), rotations.write(rotation(session, 9), other)
    )

    assert list(numbers) == [2, None]
    assert (await generations(service))[0] == 2
    assert await stored(service) == {one.sha256: (session.id, 2)}


async def test_one_that_has_to_wait_for_its_row_keeps_nobody_waiting(
    service: Service, database: Database, some: list[Session]
) -> None:
    uses, [locked, *free] = SessionUses(database), some
    async with service.transaction() as tx:
        await sessions.end(tx, sessions.is_session(locked.id), reason="logout", now=START, mark=False)
        waiting = asyncio.create_task(uses.write(rotation(locked)))
        others = [asyncio.create_task(uses.write(rotation(one))) for one in free]
        await asyncio.wait(others, timeout=1)
        assert [task.done() for task in [waiting, *others]] == [False, *[True] * len(others)]
        await tx.rollback()

    assert await asyncio.gather(waiting, *others) == [2] * len(some)


async def test_however_many_have_to_wait_for_their_rows_the_others_pass(
    service_with: MakeService, some: list[Session]
) -> None:
    """All connections that are there for the waiting are taken, and more wait for one of those."""
    service = await service_with(database_timeout_seconds=2)
    uses, locked, free = SessionUses(service.stack.services.stores.database), some[:12], some[12:]
    async with service.transaction() as tx:
        for one in locked:
            await sessions.end(tx, sessions.is_session(one.id), reason="logout", now=START, mark=False)
        waiting = [asyncio.create_task(uses.write(rotation(one))) for one in locked]
        await asyncio.wait(waiting, timeout=0.3)  # until each has found its row locked
        others = [asyncio.create_task(uses.write(rotation(one))) for one in free]
        passed, _ = await asyncio.wait(others, timeout=0.4)
        await tx.rollback()
    await asyncio.wait([*waiting, *others])

    assert len(passed) == len(free), "they wait behind those who wait for a lock"
    assert [task.result() for task in others] == [2] * len(free)


@pytest.mark.parametrize("is_pooled", [False, True], ids=["held", "pooled"])
async def test_an_access_token_that_somebody_has_locked_keeps_nobody_waiting(
    service: Service, service_with: MakeService, some: list[Session], *, is_pooled: bool
) -> None:
    """As one that is just being purged or revoked. It is expired, and the next refresh removes it."""
    other = await service_with(database_prepared_statements=not is_pooled)
    uses, owner = SessionUses(other.stack.services.stores.database), some[0]
    old = replace(token(owner, 1), expires_at=START - SECOND)
    async with service.transaction() as tx:
        await access_tokens.insert(tx, old)

    async with service.transaction() as tx:
        await access_tokens.remove(tx, old.sha256)
        writing = [asyncio.create_task(uses.write(rotation(one), token(one))) for one in some]
        written, _ = await asyncio.wait(writing, timeout=1)
        await tx.rollback()
    await asyncio.wait(writing)

    assert len(written) == len(some), "they wait for the lock"
    assert [task.result() for task in writing] == [2] * len(some)
    assert old.sha256 in await stored(service)
    [seen] = [one for one in await service.sessions() if one.id == owner.id]
    assert await uses.write(rotation(seen, 3), token(owner)) == 3
    assert old.sha256 not in await stored(service)


async def test_what_is_in_the_way_of_one_batch_is_not_in_that_of_the_next(
    service_with: MakeService, some: list[Session]
) -> None:
    service = await service_with(database_timeout_seconds=0.8)
    uses, [stuck, *behind] = SessionUses(service.stack.services.stores.database), some
    same = token(stuck)
    async with service.transaction() as tx:
        await access_tokens.insert(tx, same)  # as if what is sent now had been sent before
        first = asyncio.create_task(uses.write(rotation(stuck), same))
        for _ in range(3):  # it asks, the batch begins, the statement is sent
            await asyncio.sleep(0)
        later = [asyncio.create_task(uses.write(rotation(one), token(one))) for one in behind]
        await asyncio.wait([first, *later])
        await tx.rollback()

    assert isinstance(first.exception(), Unavailable)
    assert [task.exception() for task in later] == [None] * len(behind)
    assert [task.result() for task in later] == [2] * len(behind)


async def test_what_is_in_the_way_of_two_batches_in_a_row_is_told_to_all(
    service_with: MakeService, some: list[Session]
) -> None:
    """As a table that is being altered: batch by batch each would wait, and the last for very long."""
    service = await service_with(database_timeout_seconds=0.8)
    database = service.stack.services.stores.database
    uses, [one, other, behind, *_] = SessionUses(database), some
    same = {session.id: token(session) for session in (one, other)}
    with statements(database) as sent:
        async with service.transaction() as tx:
            for row in same.values():
                await access_tokens.insert(tx, row)
            sent.clear()
            first = asyncio.create_task(uses.write(rotation(one), same[one.id]))
            for _ in range(3):
                await asyncio.sleep(0)
            second = asyncio.create_task(uses.write(rotation(other), same[other.id]))
            await asyncio.wait([first])
            third = asyncio.create_task(uses.write(rotation(behind), token(behind)))
            await asyncio.wait([second, third])
            await tx.rollback()

    assert [type(task.exception()) for task in (first, second, third)] == [Unavailable] * 3
    assert len(sent) == 2
    assert await uses.write(rotation(behind), token(behind)) == 2


async def test_batches_of_the_same_sessions_in_two_orders_do_not_wait_in_a_ring(
    service: Service, database: Database, some: list[Session]
) -> None:
    instances = [SessionUses(database), SessionUses(database)]
    orders = [some, some[::-1]]

    for generation in range(2, 12):
        seen = {one.id: one for one in await service.sessions()}
        written = await asyncio.gather(
            *(
                uses.write(rotation(seen[one.id], generation))
                for uses, order in zip(instances, orders, strict=True)
                for one in order
            )
        )
        assert sorted(written, key=str) == [generation] * len(some) + [None] * len(some)
