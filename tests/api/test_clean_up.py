"""P15: old rows go by themselves, one instance at it at a time, and nobody notices."""

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace
from time import perf_counter
from uuid import UUID

import pytest

from authsvc.background import running as jobs_running
from authsvc.clean_up import CleanUp
from authsvc.jobs import jobs
from authsvc.storage.leases import LeaseLost
from authsvc.storage.purge import WINDOW, Bookmark, Step
from tests.conftest import MakeService
from tests.fixtures import old_rows
from tests.fixtures.clock import START
from tests.fixtures.old_rows import session_row
from tests.fixtures.service import Json, Registered, Service
from tests.fixtures.updates import updates

one_format = pytest.mark.only("postgres-jwt", "sqlite-jwt", reason="the tables are the same for both formats")


def clean_up_of(service: Service) -> CleanUp:
    return service.stack.services.clean_up


def another(service: Service) -> CleanUp:
    """The clean-up of another instance over the same stores."""
    return replace(clean_up_of(service), holder="another", bookmark=Bookmark())


@pytest.fixture
async def account_id(service: Service) -> UUID:
    return (await service.add_account("grace@example.com")).id


async def add_old_sessions(service: Service, account_id: UUID, count: int) -> None:
    await old_rows.insert(service, "session", [session_row(account_id) for _ in range(count)])


async def count_sessions(service: Service) -> int:
    return len(await old_rows.keys(service, "session"))


async def test_it_is_on_unless_it_is_turned_off(service: Service, service_with: MakeService) -> None:
    off = await service_with(purge_seconds=0)

    assert [job.every for job in jobs(service.stack.services) if job.name == "purge"] == [60]
    assert "purge" not in {job.name for job in jobs(off.stack.services)}


@one_format
async def test_a_running_service_removes_old_rows_by_itself(
    service: Service, service_with: MakeService, account_id: UUID
) -> None:
    await add_old_sessions(service, account_id, 1200)
    other = await service_with(purge_seconds=1)

    async with asyncio.timeout(30), jobs_running(jobs(other.stack.services)):
        while await count_sessions(service):
            pass


@one_format
async def test_a_turn_counts_what_it_removed_and_says_when_it_ended(
    service: Service, account_id: UUID
) -> None:
    await add_old_sessions(service, account_id, 20)
    before = await service.metric('authsvc_purged_rows_total{table="session"}')
    turns = await service.metric("authsvc_purge_seconds_count")

    await clean_up_of(service).turn()

    assert await service.metric('authsvc_purged_rows_total{table="session"}') == before + 20
    assert await service.metric("authsvc_purge_seconds_count") == turns + 1
    assert await service.metric("authsvc_purge_last_success_timestamp_seconds") == START.timestamp()


@one_format
async def test_of_two_instances_at_once_one_does_it_all(service: Service, account_id: UUID) -> None:
    await add_old_sessions(service, account_id, 3 * WINDOW)
    one, other = clean_up_of(service), another(service)
    before = await service.metric("authsvc_purge_seconds_count")

    await asyncio.gather(one.turn(), other.turn())

    assert await count_sessions(service) == 0
    assert await service.metric("authsvc_purge_seconds_count") == before + 1


@one_format
async def test_the_next_turn_is_the_holders_until_it_is_gone_for_a_minute(
    service: Service, account_id: UUID
) -> None:
    one, other = clean_up_of(service), another(service)
    await one.turn()
    await add_old_sessions(service, account_id, 1)

    service.clock.advance(seconds=119)
    await other.turn()
    assert await count_sessions(service) == 1
    service.clock.advance(seconds=1)
    await other.turn()

    assert await count_sessions(service) == 0


@one_format
async def test_whoever_lost_the_lease_amid_its_work_stops(service: Service, account_id: UUID) -> None:
    await add_old_sessions(service, account_id, 3 * WINDOW)
    one, other = clean_up_of(service), another(service)
    lease = one.lease()
    async with aclosing(one.purge.steps(START, lease, Bookmark())) as steps:
        while (await anext(steps)).removed == 0:
            pass
        left = await count_sessions(service)
        async with service.transaction() as tx:
            await other.lease().seize(tx)

        with suppress(LeaseLost):
            async for _ in steps:
                pass

    assert 0 < left == await count_sessions(service)


@one_format
async def test_the_command_takes_over_from_a_running_turn(service: Service, account_id: UUID) -> None:
    await add_old_sessions(service, account_id, 4 * WINDOW)
    background, command = clean_up_of(service), another(service)
    steps: list[Step] = []

    turn = asyncio.create_task(background.turn())
    removed = await command.whole(steps.append)
    await turn

    assert await count_sessions(service) == 0
    assert removed["session"] == sum(step.removed for step in steps if step.table == "session") > 0
    assert sum(step.seen for step in steps) >= removed["session"]


@pytest.mark.only("postgres-jwt", reason="how Postgres updates a row is no other database's affair")
async def test_refreshes_update_their_row_in_place_where_others_are_removed(
    service: Service, account_id: UUID, signed_in: Json
) -> None:
    await add_old_sessions(service, account_id, 2000)
    before = await updates(service)

    purging = asyncio.create_task(clean_up_of(service).whole(lambda _: None))
    tokens = signed_in
    for _ in range(50):
        tokens = await service.refreshed(tokens["refresh_token"])
    await purging

    after = await updates(service)
    assert after.count - before.count == 50
    assert after.in_place - before.in_place >= 45


@one_format
async def test_logins_refreshes_and_logouts_go_on_while_many_rows_are_removed(
    service: Service, account_id: UUID, caller: Registered, capsys: pytest.CaptureFixture[str]
) -> None:
    backlog = 50_000 if service.stack.has_redis else 20_000
    await service.add_account()
    await add_old_sessions(service, account_id, backlog)
    times: list[float] = []

    async def lives() -> None:
        began = perf_counter()
        tokens = await service.login()
        for _ in range(4):
            service.clock.advance(seconds=1)
            tokens = await service.refreshed(tokens["refresh_token"])
        assert await service.is_live(tokens["access_token"], caller)
        assert (await service.as_user("POST", "/logout", tokens["access_token"])).status_code == 204
        times.append((perf_counter() - began) / 7)

    began = perf_counter()
    purging = asyncio.create_task(clean_up_of(service).whole(lambda _: None))
    while not purging.done():
        await lives()
    removed = await purging
    with capsys.disabled():
        print(
            f"\n{backlog:,} rows gone in {perf_counter() - began:.1f} s, and {7 * len(times)} requests "
            f"answered, those of the slowest session in {max(times) * 1000:.0f} ms each"
        )

    assert removed["session"] == backlog
    assert times
