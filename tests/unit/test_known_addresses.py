"""The addresses that an account signed in from lately."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from authsvc.known_addresses import AT_MOST, KNOWN_FOR, KnownAddresses
from authsvc.server_keys import ServerKeys
from tests.fixtures.clock import START

ACCOUNT, OTHER_ACCOUNT = UUID(int=1), UUID(int=2)
HOME = "203.0.113.77"
OLD, NEW = "a secret for tests, of more than 32 characters", "another secret, of more than 32 characters"
DAY = timedelta(days=1)


@pytest.fixture
def addresses() -> KnownAddresses:
    return KnownAddresses(ServerKeys([OLD]))


def seen(
    addresses: KnownAddresses, *visits: str, known: bytes | None = None, at: datetime = START
) -> bytes | None:
    for visit in visits:
        known = addresses.seen(known, ACCOUNT, visit, at) or known
    return known


def test_nobody_is_known_before_the_first_sign_in(addresses: KnownAddresses) -> None:
    assert not addresses.include(None, ACCOUNT, HOME, START)


def test_an_address_is_known_for_thirty_days(addresses: KnownAddresses) -> None:
    known = seen(addresses, HOME)

    assert addresses.include(known, ACCOUNT, HOME, START)
    assert addresses.include(known, ACCOUNT, HOME, START + KNOWN_FOR - timedelta(seconds=1))
    assert not addresses.include(known, ACCOUNT, HOME, START + KNOWN_FOR)
    assert timedelta(days=30) == KNOWN_FOR


def test_it_is_known_to_its_own_account_alone(addresses: KnownAddresses) -> None:
    known = seen(addresses, HOME)

    assert not addresses.include(known, OTHER_ACCOUNT, HOME, START)
    assert not addresses.include(known, ACCOUNT, "203.0.113.78", START)


def test_of_ipv6_the_whole_64_is_known(addresses: KnownAddresses) -> None:
    known = seen(addresses, "2001:db8::1")

    assert addresses.include(known, ACCOUNT, "2001:db8::2", START)
    assert not addresses.include(known, ACCOUNT, "2001:db8:0:1::1", START)


@pytest.mark.parametrize("address", [None, "", "unknown"])
def test_no_address_is_never_known(addresses: KnownAddresses, address: str | None) -> None:
    assert addresses.seen(None, ACCOUNT, address, START) is None
    assert not addresses.include(seen(addresses, HOME), ACCOUNT, address, START)


def test_a_sign_in_of_the_same_day_has_nothing_to_write(addresses: KnownAddresses) -> None:
    known = seen(addresses, HOME)

    assert addresses.seen(known, ACCOUNT, HOME, START + DAY - timedelta(seconds=1)) is None
    later = addresses.seen(known, ACCOUNT, HOME, START + DAY)
    assert later is not None
    assert addresses.include(later, ACCOUNT, HOME, START + KNOWN_FOR + DAY / 2)


def test_the_newest_are_kept_and_the_value_stays_short(addresses: KnownAddresses) -> None:
    known = None
    for number in range(40):
        at = START + number * timedelta(hours=1)
        known = seen(addresses, f"192.0.2.{number}", known=known, at=at)

    assert known is not None
    assert len(known) == 12 * AT_MOST == 192
    now = START + DAY * 2
    included = [n for n in range(40) if addresses.include(known, ACCOUNT, f"192.0.2.{n}", now)]
    assert included == list(range(24, 40))


def test_what_is_older_than_thirty_days_is_dropped(addresses: KnownAddresses) -> None:
    known = seen(addresses, "192.0.2.1", HOME)

    later = seen(addresses, "192.0.2.2", known=known, at=START + KNOWN_FOR)

    assert later is not None
    assert len(later) == 12


def test_they_outlive_a_change_of_the_servers_secret() -> None:
    known = seen(KnownAddresses(ServerKeys([OLD])), HOME)
    both = KnownAddresses(ServerKeys([NEW, OLD]))

    assert both.include(known, ACCOUNT, HOME, START)
    moved = both.seen(known, ACCOUNT, HOME, START)
    assert moved is not None
    assert len(moved) == 12
    assert KnownAddresses(ServerKeys([NEW])).include(moved, ACCOUNT, HOME, START)
    assert not KnownAddresses(ServerKeys([NEW])).include(known, ACCOUNT, HOME, START)


@pytest.mark.parametrize("known", [b"", b"x", b"x" * 13], ids=len)
def test_a_value_that_is_no_such_list_knows_nobody(addresses: KnownAddresses, known: bytes) -> None:
    assert not addresses.include(known, ACCOUNT, HOME, START)
    assert addresses.include(seen(addresses, HOME, known=known), ACCOUNT, HOME, START)
