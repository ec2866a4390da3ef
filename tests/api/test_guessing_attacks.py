"""Guessing attacks at the default limits: how many guesses are looked at, and whether the owner gets in.

The clock stands still in an attack, which is the fastest there can be. `make attack` makes all the attacks,
of 10,000 guesses each.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable

import pytest

from tests.conftest import MakeService
from tests.fixtures.guessing import ELSEWHERE, HASHES, HOME, Try, log_in, statuses
from tests.fixtures.service import USERNAME, Service

Attack = Callable[[int], Try]

GUESSES = int(os.environ.get("AUTHSVC_TEST_GUESSES", "150"))
OF_PAIR, OF_ADDRESS, OF_ACCOUNT = 20, 90, 90
WITHIN_SECONDS = 60

pytestmark = [
    pytest.mark.only(
        "postgres-jwt", "sqlite-jwt", reason="a guess is counted before any token, in Redis or in the process"
    ),
    pytest.mark.timeout(60 + GUESSES // 10),
]


def one_address(number: int) -> Try:
    return Try("192.0.2.66", password=f"guess {number}")


def one_address_many_names(number: int) -> Try:
    return Try("192.0.2.66", username=f"user-{number}", password="Winter2026!")


def one_network(number: int) -> Try:
    return Try(f"2001:db8:0:66:{number % 1000:x}::1", password=f"guess {number}")


def one_network_many_names(number: int) -> Try:
    return Try(f"2001:db8:0:66:{number % 1000:x}::1", username=f"user-{number}")


def many_addresses(number: int) -> Try:
    return Try(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", password=f"guess {number}")


def many_networks(number: int) -> Try:
    return Try(f"2001:db8:{number >> 8:x}:{number & 255:x}::1", password=f"guess {number}")


ATTACKS: list[tuple[Attack, int]] = [
    (one_address, OF_PAIR),
    (one_network_many_names, OF_ADDRESS),
    (many_addresses, OF_ACCOUNT),
    (one_address_many_names, OF_ADDRESS),
    (one_network, OF_PAIR),
    (many_networks, OF_ACCOUNT),
]


@pytest.mark.demand("A-01", "A-02", "A-03")
@pytest.mark.parametrize(("attack", "evaluated"), ATTACKS if GUESSES >= 1000 else ATTACKS[:3])
async def test_fewer_than_a_hundred_guesses_are_looked_at_and_the_owner_gets_in(
    service_with: MakeService, attack: Attack, evaluated: int, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = await service_with(hash_max_wait_seconds=60)
    await patient.add_account()
    assert (await log_in(patient, HOME)).status_code == 200
    hashed, tries = await patient.metric(HASHES), [attack(number) for number in range(GUESSES)]

    answers = await statuses(patient, tries[: GUESSES // 2])
    during, rest = await asyncio.gather(log_in(patient, HOME), statuses(patient, tries[GUESSES // 2 :]))
    answers += rest
    name = getattr(attack, "__name__", "an attack").replace("_", " ")
    hashes = await patient.metric(HASHES) - hashed
    waited = await _wait_to_log_in(patient)

    with capsys.disabled():
        print(
            f"\n{name}: of {GUESSES} guesses {answers[400]} looked at, {answers[429]} refused; "
            f"the owner got in during it from where he was before, and after {waited} s from a new address"
        )
    assert answers == Counter({400: evaluated, 429: GUESSES - evaluated})
    assert evaluated < 100
    assert hashes == evaluated + 1
    assert during.status_code == 200
    assert waited <= WITHIN_SECONDS


async def _wait_to_log_in(service: Service) -> int:
    """Log in from a new address, after as long as it is told to wait; return that in seconds."""
    answer = await log_in(service, ELSEWHERE, USERNAME)
    if answer.status_code == 200:
        return 0
    assert answer.status_code == 429
    wait = int(answer.headers["retry-after"])
    service.clock.advance(seconds=wait)
    assert (await log_in(service, ELSEWHERE)).status_code == 200
    return wait
