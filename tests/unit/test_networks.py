"""Which addresses are counted as one."""

import pytest

from authsvc.networks import UNKNOWN, network_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("::ffff:192.0.2.1", "::ffff:c000:201"),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"),
        ("2001:DB8:0:1::", "2001:db8::1:0:0:0:9"),
        ("fe80::1", "fe80::1%eth0"),
    ],
)
def test_these_are_one(one: str, other: str) -> None:
    assert network_of(one) == network_of(other) != UNKNOWN


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "192.0.2.2"),
        ("2001:db8:0:1::1", "2001:db8:0:2::1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("127.0.0.1", "::1"),
        ("192.0.2.1", "c000:201::"),
    ],
)
def test_these_are_two(one: str, other: str) -> None:
    assert network_of(one) != network_of(other)


@pytest.mark.parametrize("address", [None, "", "unknown", "192.0.2.1:80", "192.0.2", "[::1]", "192.0.2.1 "])
def test_what_is_no_address_is_all_the_same(address: str | None) -> None:
    assert network_of(address) == UNKNOWN
