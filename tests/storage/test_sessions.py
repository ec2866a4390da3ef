"""The table `session`: every change says what the row must still be, so of two racing ones one wins."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime

import pytest

from authsvc.secret_tokens import new_id
from authsvc.storage import session_use, sessions
from authsvc.storage.accounts import Account
from authsvc.storage.session_use import SessionUse
from authsvc.storage.session_uses import SessionUses
from authsvc.storage.sessions import EndedSession, Session, Which
from tests.fixtures.clock import START
from tests.fixtures.service import Service
from tests.fixtures.sessions import SECOND, new_session, rotation, token

pytestmark = pytest.mark.only(
    "postgres-jwt", "sqlite-jwt", reason="the table is the same for both formats of token"
)


@pytest.fixture
async def account(service: Service) -> Account:
    return await service.add_account()


async def insert(service: Service, account: Account, **fields: object) -> Session:
    """A session of *account*, as new as can be."""
    new = new_session(account.id, **fields)
    async with service.transaction() as tx:
        await sessions.insert(tx, new)
    return new


@pytest.fixture
async def session(service: Service, account: Account) -> Session:
    return await insert(service, account)


def repetition(seen: Session, *, at_most: int = 100) -> SessionUse:
    moved = seen._replace(last_used_at=START + SECOND, access_until=START + 301 * SECOND)
    return session_use.repetition(seen, moved, at_most=at_most)


Write = Callable[[SessionUse], Coroutine[None, None, int | None]]


@pytest.fixture(params=["alone", "with a token"])
def write(request: pytest.FixtureRequest, service: Service, session: Session) -> Write:
    """Both ways to write a use: without an access token, and with one that has to be stored."""
    uses = SessionUses(service.stack.services.stores.database)
    if request.param == "alone":
        return uses.write
    return lambda use: uses.write(use, token(session))


async def end(service: Service, which: Which, *, mark: bool = False) -> list[EndedSession]:
    async with service.transaction() as tx:
        return await sessions.end(tx, which, reason="logout", now=START + SECOND, mark=mark)


async def only(service: Service) -> Session:
    (found,) = await service.sessions()
    return found


async def test_a_session_is_read_as_it_was_inserted(service: Service, session: Session) -> None:
    assert await only(service) == session


async def test_a_rotation_writes_what_moved_and_nothing_else(
    service: Service, write: Write, session: Session
) -> None:
    await write(repetition(session))

    assert await write(rotation(session)) == 3

    assert await only(service) == session._replace(
        generation=2,
        server_key_id="the next key",
        rotated_at=START + SECOND,
        repeats=0,
        access_tokens_issued=3,
        last_used_at=START + SECOND,
        access_until=START + 301 * SECOND,
    )


async def test_a_repeat_counts_and_leaves_the_ratchet_where_it_is(
    service: Service, write: Write, session: Session
) -> None:
    assert await write(repetition(session)) == 2

    assert await only(service) == session._replace(
        repeats=1,
        access_tokens_issued=2,
        last_used_at=START + SECOND,
        access_until=START + 301 * SECOND,
    )


async def test_access_until_is_raised_and_never_lowered(
    service: Service, write: Write, session: Session
) -> None:
    """A setting that was shortened since does not shorten what was issued before."""
    await write(rotation(session, until=START + SECOND))
    assert (await only(service)).access_until == session.access_until

    await write(rotation(await only(service), until=START + 900 * SECOND))
    assert (await only(service)).access_until == START + 900 * SECOND


async def test_a_row_that_has_moved_is_neither_rotated_nor_repeated(
    service: Service, write: Write, session: Session
) -> None:
    await write(rotation(session))
    moved = await only(service)

    assert await write(rotation(session)) is None
    assert await write(repetition(session)) is None

    assert await only(service) == moved


async def test_a_row_that_has_ended_is_neither_rotated_nor_repeated(
    service: Service, write: Write, session: Session
) -> None:
    await end(service, sessions.is_session(session.id))
    ended = await only(service)

    assert await write(rotation(session)) is None
    assert await write(repetition(session)) is None

    assert await only(service) == ended


async def test_a_row_that_is_not_there_is_neither_rotated_nor_repeated(
    service: Service, write: Write, session: Session
) -> None:
    stranger = session._replace(id=new_id())

    assert await write(rotation(stranger)) is None
    assert await write(repetition(stranger)) is None

    assert await only(service) == session


async def test_repeats_stop_at_their_bound(write: Write, session: Session) -> None:
    numbers = [await write(repetition(session, at_most=3)) for _ in range(5)]
    assert numbers == [2, 3, 4, None, None]


async def test_of_many_rotations_at_once_one_goes_through(
    service: Service, write: Write, session: Session
) -> None:
    numbers = await asyncio.gather(*(write(rotation(session)) for _ in range(20)))

    assert sorted(numbers, key=str) == [2, *[None] * 19]
    assert (await only(service)).generation == 2


async def test_many_repeats_at_once_get_a_number_each(
    service: Service, write: Write, session: Session
) -> None:
    numbers = await asyncio.gather(*(write(repetition(session)) for _ in range(20)))

    assert sorted(filter(None, numbers)) == list(range(2, 22))
    assert (await only(service)).repeats == 20


async def test_a_use_stores_its_token_under_the_number_that_it_got(
    service: Service, session: Session
) -> None:
    uses, one, two = SessionUses(service.stack.services.stores.database), token(session), token(session)
    await uses.write(repetition(session), one)

    assert await uses.write(rotation(session), two) == 3

    assert await service.access_token_numbers() == [2, 3]


async def test_a_use_of_a_row_that_has_moved_stores_no_token(service: Service, session: Session) -> None:
    uses = SessionUses(service.stack.services.stores.database)
    await uses.write(rotation(session))

    assert await uses.write(rotation(session), token(session)) is None

    assert await service.access_token_numbers() == []


@pytest.mark.only("postgres-jwt", reason="nothing is sent twice to an embedded database")
async def test_a_use_that_is_sent_again_since_its_answer_was_lost_is_no_error(
    service: Service, session: Session
) -> None:
    uses, stored = SessionUses(service.stack.services.stores.database), token(session)
    await uses.write(repetition(session), stored)

    again = await asyncio.gather(uses.write(repetition(session), stored), return_exceptions=True)

    assert list(again) == [3]
    assert await service.access_token_numbers() == [2]


async def test_who_ends_a_session_amid_a_rotation_learns_of_its_access_token(
    service: Service, session: Session
) -> None:
    """Else the denial could be over before the token that the rotation issued."""
    until = START + 900 * SECOND
    async with service.transaction() as tx:
        use = rotation(session, until=until)
        await tx.execute(use.statement, use.values)
        ending = asyncio.create_task(end(service, sessions.is_session(session.id)))
        done, _ = await asyncio.wait([ending], timeout=0.1)
        assert not done, "the end did not wait for the rotation"

    assert await ending == [ended(session, until)]


async def test_a_rotation_amid_an_end_finds_the_session_ended(
    service: Service, write: Write, session: Session
) -> None:
    async with service.transaction() as tx:
        await sessions.end(
            tx, sessions.is_session(session.id), reason="logout", now=START + SECOND, mark=False
        )
        rotating = asyncio.create_task(write(rotation(session)))
        done, _ = await asyncio.wait([rotating], timeout=0.1)
        assert not done, "the rotation did not wait for the end"

    assert await rotating is None


async def test_a_rotation_amid_an_end_that_is_rolled_back_goes_through(
    service: Service, write: Write, session: Session
) -> None:
    async with service.transaction() as tx:
        await sessions.end(
            tx, sessions.is_session(session.id), reason="logout", now=START + SECOND, mark=False
        )
        rotating = asyncio.create_task(write(rotation(session)))
        await tx.rollback()

    assert await rotating == 2


def ended(session: Session, until: datetime) -> EndedSession:
    """What an end just now says of a session."""
    return EndedSession(session.id, session.account_id, session.client_id, until)


async def test_an_end_tells_which_sessions_ended_now(service: Service, account: Account) -> None:
    first, second = await insert(service, account), await insert(service, account)
    await end(service, sessions.is_session(first.id))

    assert await end(service, sessions.of_account(account.id)) == [ended(second, second.access_until)]
    assert await end(service, sessions.of_account(account.id)) == []


async def test_an_end_tells_again_of_a_session_that_the_denylist_has_not_heard_of(
    service: Service, session: Session
) -> None:
    """Whoever ended it may still be on the way to Redis, and the second answer promises as much."""
    which = sessions.is_session(session.id)
    first = await end(service, which, mark=True)
    second = await end(service, which, mark=True)
    await service.alter("session", undelivered=False)
    third = await end(service, which, mark=True)

    assert first == [ended(session, session.access_until)]
    assert second == [replace(ended(session, session.access_until), anew=False)]
    assert third == []


async def test_of_many_ends_at_once_one_ends_each_session(service: Service, account: Account) -> None:
    made = [await insert(service, account) for _ in range(5)]

    # Some name the sessions one by one and some all together; nobody waits in a ring.
    which = [sessions.is_session(one.id) for one in reversed(made)] + [sessions.of_account(account.id)] * 5
    ended = await asyncio.gather(*(end(service, one) for one in which))

    # Identifiers of one millisecond come in no order.
    assert sorted(session.id for some in ended for session in some) == sorted(session.id for session in made)


async def test_an_end_reaches_only_those_that_are_meant(service: Service, account: Account) -> None:
    other_account = await service.add_account("grace@example.com")
    kept, meant, other = [await insert(service, owner) for owner in (account, account, other_account)]

    assert await end(service, sessions.is_session(other.id, account_id=account.id)) == []
    assert [one.id for one in await end(service, sessions.of_account(account.id, but=kept.id))] == [meant.id]

    assert [one.id for one in await service.sessions() if one.ended_at is None] == [kept.id, other.id]


async def test_the_sessions_beyond_the_newest_are_the_oldest(service: Service, account: Account) -> None:
    """By their beginning, not by their last use; of one moment, by their id."""
    ages, ids = [3, 1, 2, 2], sorted(new_id() for _ in range(4))
    made = [
        await insert(
            service, account, id=one, created_at=START - age * SECOND, last_used_at=START + age * SECOND
        )
        for age, one in zip(ages, ids, strict=True)
    ]

    dialect = service.stack.services.stores.database.engine.dialect
    ended = await end(service, sessions.beyond_newest(2, sessions.of_account(account.id), dialect))

    assert {one.id for one in ended} == {made[0].id, made[2].id}


async def test_a_session_is_alive_until_a_limit_and_no_longer(service: Service, account: Account) -> None:
    alive = await insert(service, account)
    await insert(service, account, last_used_at=START - 10 * SECOND)
    await insert(service, account, created_at=START - 20 * SECOND)
    await insert(service, account, ended_at=START)
    just = await insert(service, account, last_used_at=START - 9 * SECOND, created_at=START - 19 * SECOND)

    which = sessions.alive(account.id, used_after=START - 10 * SECOND, created_after=START - 20 * SECOND)

    async with service.transaction() as tx:
        found = await sessions.page(tx, which, after=None, limit=10)
    assert [one.id for one in found] == [just.id, alive.id]
