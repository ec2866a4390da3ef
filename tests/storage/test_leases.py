"""Leases: one holder at a time, and another when it is gone."""

import asyncio
from datetime import timedelta

import pytest

from authsvc.storage.leases import Lease, LeaseLost
from tests.fixtures.service import Service

pytestmark = pytest.mark.only("postgres-jwt", "sqlite-jwt", reason="the table is the same for both formats")


def lease_of(service: Service, holder: str, name: str = "a job") -> Lease:
    return Lease(name, holder, timedelta(seconds=60), service.clock)


async def takes(service: Service, lease: Lease) -> bool:
    async with service.transaction() as tx:
        return await lease.take(tx)


async def test_of_many_at_once_one_takes_it(service: Service) -> None:
    leases = [lease_of(service, f"holder {number}") for number in range(8)]

    taken = await asyncio.gather(*(takes(service, lease) for lease in leases))

    assert taken.count(True) == 1
    holder = leases[taken.index(True)]
    assert [await takes(service, lease) for lease in leases] == [lease is holder for lease in leases]


async def test_a_holder_that_is_gone_is_replaced_when_its_lease_is_over(service: Service) -> None:
    one, other = lease_of(service, "one"), lease_of(service, "other")
    assert await takes(service, one)
    service.clock.advance(seconds=59)
    assert not await takes(service, other)
    service.clock.advance(seconds=1)

    assert await takes(service, other)

    assert not await takes(service, one)


async def test_a_holder_renews_what_it_holds(service: Service) -> None:
    one, other = lease_of(service, "one"), lease_of(service, "other")
    for _ in range(3):
        assert await takes(service, one)
        service.clock.advance(seconds=40)

    assert not await takes(service, other)


async def test_a_lease_can_be_seized_and_its_holder_then_hears_that_it_is_lost(service: Service) -> None:
    one, other = lease_of(service, "one"), lease_of(service, "other")
    assert await takes(service, one)

    async with service.transaction() as tx:
        await other.seize(tx)

    with pytest.raises(LeaseLost):
        async with service.transaction() as tx:
            await one.keep(tx)
    assert await takes(service, other)


async def test_only_its_holder_can_give_it_up(service: Service) -> None:
    one, other = lease_of(service, "one"), lease_of(service, "other")
    assert await takes(service, one)
    async with service.transaction() as tx:
        await other.release(tx)
    assert not await takes(service, other)

    async with service.transaction() as tx:
        await one.release(tx)

    assert await takes(service, other)


async def test_leases_of_other_names_are_other_leases(service: Service) -> None:
    assert await takes(service, lease_of(service, "one", "a job"))
    assert await takes(service, lease_of(service, "other", "another job"))
