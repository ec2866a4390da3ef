"""A login under way while the account changes: it cannot undo the change, nor outlive it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.gate import Gate, hold_logins_after_verifying
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service

NEW_PASSWORD = "another correct horse battery"

Login = asyncio.Task[httpx.Response]

ON_POSTGRES = pytest.mark.only(
    "postgres-jwt", "postgres-opaque", reason="on SQLite there is one writer at a time"
)


@asynccontextmanager
async def held_login(service: Service, gate: Gate) -> AsyncIterator[Login]:
    """A login that waits at *gate* while the block runs, and has ended after it."""
    login = asyncio.create_task(service.post("/login", username=USERNAME, password=PASSWORD))
    await gate.reached.wait()
    try:
        yield login
    finally:
        gate.open.set()
        await login


async def change_password(service: Service, tokens: Json) -> None:
    response = await service.as_user(
        "POST",
        "/password",
        tokens["access_token"],
        current_password=PASSWORD,
        new_password=NEW_PASSWORD,
    )
    assert response.status_code == 204, response.text


async def disable(service: Service, _tokens: Json) -> None:
    accounts = service.stack.services.accounts
    await accounts.disable(await accounts.named(USERNAME))


async def delete(service: Service, _tokens: Json) -> None:
    accounts = service.stack.services.accounts
    await accounts.delete(await accounts.named(USERNAME))


Change = Callable[[Service, Json], Coroutine[None, None, None]]
changes = pytest.mark.parametrize("change", [change_password, disable, delete])


async def hash_of(service: Service, account_id: UUID) -> str:
    account = await service.stack.services.accounts.find(account_id)
    assert account is not None
    return account.password_hash


@changes
async def test_a_login_overtaken_by_a_change_is_refused_and_leaves_nothing(
    service: Service, service_with: MakeService, change: Change
) -> None:
    await service.add_account()
    tokens = await service.login()
    other = await service_with()

    async with held_login(other, hold_logins_after_verifying(other)) as login:
        await change(service, tokens)
        changed = await service.rows()

    assert_oauth_error(login.result(), 400, "invalid_grant")
    assert await service.rows() == changed


async def test_a_login_that_would_rehash_writes_no_old_password_back(
    service: Service, service_with: MakeService
) -> None:
    account = await service.add_account()
    tokens = await service.login()
    stronger = await service_with(hash_passes=3)

    async with held_login(stronger, hold_logins_after_verifying(stronger)) as login:
        await change_password(service, tokens)
        changed = await hash_of(service, account.id)

    assert_oauth_error(login.result(), 400, "invalid_grant")
    assert await hash_of(service, account.id) == changed
    assert (await service.post("/login", username=USERNAME, password=NEW_PASSWORD)).status_code == 200


async def test_a_login_that_nothing_overtakes_gets_in(service: Service, service_with: MakeService) -> None:
    await service.add_account()
    other = await service_with()

    async with held_login(other, hold_logins_after_verifying(other)) as login:
        pass

    assert login.result().status_code == 200


async def test_of_two_logins_that_rehash_at_once_both_get_in(
    service: Service, service_with: MakeService
) -> None:
    account = await service.add_account()
    first, second = await service_with(hash_passes=3), await service_with(hash_passes=3)

    async with (
        held_login(first, hold_logins_after_verifying(first)) as one,
        held_login(second, hold_logins_after_verifying(second)) as other,
    ):
        pass

    assert (one.result().status_code, other.result().status_code) == (200, 200)
    assert "t=3" in await hash_of(service, account.id)


@asynccontextmanager
async def login_before_its_commit(service: Service) -> AsyncIterator[Login]:
    """A login that has the lock of its account, and waits for that of its client while the block runs."""
    async with service.transaction() as tx:
        await tx.execute(sa.text("SELECT 1 FROM client WHERE id = 'public' FOR UPDATE"))
        login = asyncio.create_task(service.post("/login", username=USERNAME, password=PASSWORD))
        await is_blocked(service, 1, login)
        yield login
    await login


async def is_blocked(service: Service, count: int, last: asyncio.Task[Any]) -> bool:
    """Wait until so many statements wait for a lock; False if *last*, which sent the last, did not wait."""
    blocked = sa.text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    found = 0
    while found < count and not last.done():
        async with service.transaction() as tx:
            found = (await tx.execute(blocked)).scalar_one()
    return found == count


@ON_POSTGRES
@changes
@pytest.mark.parametrize("is_pooled", [False, True], ids=["held", "pooled"])
async def test_a_change_waits_for_a_login_that_is_not_committed_and_then_ends_its_session(
    service: Service, service_with: MakeService, caller: Registered, change: Change, is_pooled: bool
) -> None:
    await service.add_account()
    tokens = await service.login()
    other = await service_with(database_prepared_statements=not is_pooled)

    async with login_before_its_commit(other) as login:
        changing = asyncio.create_task(change(service, tokens))
        has_waited = await is_blocked(service, 2, changing)
    await changing
    assert has_waited, "the change did not wait for the account's row"

    assert login.result().status_code == 200
    access_token = login.result().json()["access_token"]
    assert not await service.is_live(access_token, caller)
    assert (await service.refresh(login.result().json()["refresh_token"])).status_code == 400


@asynccontextmanager
async def locked_account(service: Service) -> AsyncIterator[None]:
    """Hold the lock of the account's row while the block runs."""
    async with service.transaction() as tx:
        await tx.execute(
            sa.text("SELECT 1 FROM account WHERE username = :name FOR UPDATE"), {"name": USERNAME}
        )
        yield


@ON_POSTGRES
async def test_a_login_that_gave_up_is_not_written_after_all(
    service: Service, service_with: MakeService
) -> None:
    await service.add_account()
    impatient = await service_with(database_timeout_seconds=0.4)

    async with locked_account(service):
        answers = [await impatient.post("/login", username=USERNAME, password=PASSWORD) for _ in range(2)]
    await asyncio.sleep(0.3)

    assert [answer.status_code for answer in answers] == [503, 503]
    assert await service.sessions() == []


@ON_POSTGRES
async def test_logins_that_wait_for_one_account_keep_nobody_elses_session_waiting(
    service: Service, service_with: MakeService
) -> None:
    await service.add_account()
    await service.add_account("grace@example.com")
    other = await service.login(username="grace@example.com")
    impatient = await service_with(database_timeout_seconds=2)

    async with locked_account(service):
        logins = [asyncio.create_task(impatient.login()) for _ in range(6)]
        await is_blocked(service, 2, logins[-1])
        refreshed = [await impatient.refresh(other["refresh_token"]) for _ in ("rotated", "repeated")]
    ended = await asyncio.gather(*logins, return_exceptions=True)

    assert [answer.status_code for answer in refreshed] == [200, 200], refreshed[-1].text
    assert [one for one in ended if isinstance(one, BaseException)] == []


@pytest.mark.only(
    "postgres-jwt", reason="no key signs an opaque token, and on SQLite there is one writer at a time"
)
@pytest.mark.parametrize("is_pooled", [False, True], ids=["held", "pooled"])
async def test_a_key_that_is_withdrawn_while_a_login_waits_signs_nothing_of_it(
    service: Service, service_with: MakeService, caller: Registered, is_pooled: bool
) -> None:
    await service.add_account()
    other = await service_with(database_prepared_statements=not is_pooled)
    keys = service.stack.services.keys

    async with locked_account(service):
        login = asyncio.create_task(other.login())
        await is_blocked(service, 1, login)
        await service.stack.services.key_rotation.revoke(keys.current().kid)
    tokens = await login

    assert await service.is_live(tokens["access_token"], caller)
    assert (await service.refresh(tokens["refresh_token"])).status_code == 200
