"""Guesses at real servers: whose forwarded address is believed, and who counts together."""

from collections.abc import Iterator

import pytest

from tests.fixtures.installation import Installer
from tests.fixtures.process import ServerProcess
from tests.fixtures.service import PASSWORD, USERNAME

OF_PAIR = 4
LIMIT = str(OF_PAIR)


@pytest.fixture(scope="module", params=["", "10.9.9.9"], ids=["nobody trusted", "another trusted"])
def untrusting(request: pytest.FixtureRequest, installer: Installer) -> Iterator[ServerProcess]:
    """A server that trusts no proxy at this address."""
    with installer.installed(
        "sqlite", TRUSTED_PROXIES=str(request.param), GUESSES_PER_ACCOUNT_AND_ADDRESS=LIMIT
    ) as made:
        made.add_account()
        yield made.start("serve").wait_until_serving()


@pytest.fixture(scope="module")
def behind_a_proxy(installer: Installer) -> Iterator[ServerProcess]:
    """A server that trusts this address, and so a proxy at it."""
    with installer.installed(
        "sqlite", TRUSTED_PROXIES="127.0.0.1,10.0.0.0/8", GUESSES_PER_ACCOUNT_AND_ADDRESS=LIMIT
    ) as made:
        made.add_account()
        yield made.start("serve").wait_until_serving()


def tried(
    server: ServerProcess, forwarded_for: str, username: str = USERNAME, *, guess: str = "a wrong guess"
) -> int:
    headers = {
        "X-Forwarded-For": forwarded_for,
        "X-Real-IP": forwarded_for,
        "Forwarded": f"for={forwarded_for}",
    }
    form = {"username": username, "password": guess}
    return server.http.post("/login", data=form, headers=headers).status_code


@pytest.mark.demand("A-04")
def test_a_made_up_forwarded_address_does_not_reset_the_limit(untrusting: ServerProcess) -> None:
    answers = [tried(untrusting, f"198.51.100.{number}") for number in range(OF_PAIR + 6)]

    assert answers == [400] * OF_PAIR + [429] * 6
    assert tried(untrusting, "203.0.113.9", guess=PASSWORD) == 429


@pytest.mark.demand("A-04")
@pytest.mark.parametrize("inner", ["", ", 10.0.0.5"], ids=["one proxy", "two proxies"])
def test_behind_a_trusted_proxy_only_what_it_added_counts(behind_a_proxy: ServerProcess, inner: str) -> None:
    name = f"somebody{len(inner)}@example.com"
    made_up = [f"198.51.100.{number}, 203.0.113.7{inner}" for number in range(OF_PAIR + 6)]

    answers = [tried(behind_a_proxy, forwarded, name) for forwarded in made_up]

    assert answers == [400] * OF_PAIR + [429] * 6
    assert tried(behind_a_proxy, f"203.0.113.7, 203.0.113.8{inner}", name) == 400


def test_a_trusted_proxy_that_adds_a_port_names_one_address(behind_a_proxy: ServerProcess) -> None:
    answers = [
        tried(behind_a_proxy, f"203.0.113.9:{40_000 + number}", "ported") for number in range(OF_PAIR + 1)
    ]

    assert answers == [400] * OF_PAIR + [429]


def test_two_instances_count_together(installer: Installer) -> None:
    with installer.installed("postgres", GUESSES_PER_ACCOUNT_AND_ADDRESS=LIMIT) as made:
        made.add_account()
        servers = [made.start("serve") for _ in range(2)]
        one, other = (server.wait_until_serving() for server in servers)

        answers = [tried(server, "") for server in (one, other) * OF_PAIR]

        assert answers == [400] * OF_PAIR + [429] * OF_PAIR
