"""The password hasher: argon2id at a cost that only rises, in bounded threads of lower priority."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from passlib.hash import argon2

from authsvc.errors import Unavailable
from authsvc.passwords import PasswordHasher, is_storable, normalise

PASSWORD = "correct horse battery staple"
SALT_AND_DIGEST = f"{'A' * 22}${'A' * 43}"


class MakeHasher(Protocol):
    def __call__(self, **cost: Any) -> PasswordHasher: ...


@pytest.fixture
def make_hasher() -> Iterator[MakeHasher]:
    """Make hashers of a given cost; the default is the service's own."""
    made: list[PasswordHasher] = []

    def make(**cost: Any) -> PasswordHasher:
        defaults = {"memory_kib": 19_456, "passes": 2, "lanes": 1, "threads": 1, "niceness": 10}
        made.append(PasswordHasher(**{"max_wait_seconds": 2.0, **defaults, **cost}))
        return made[-1]

    yield make
    for hasher in made:
        hasher.close()


async def test_a_hash_is_argon2id_of_the_cost_that_was_asked(make_hasher: MakeHasher) -> None:
    hashed = await make_hasher(memory_kib=20_480, passes=3, lanes=2).hash(PASSWORD)

    assert hashed.startswith("$argon2id$v=19$m=20480,t=3,p=2$")


async def test_two_hashes_of_one_password_differ(make_hasher: MakeHasher) -> None:
    hasher = make_hasher()

    assert await hasher.hash(PASSWORD) != await hasher.hash(PASSWORD)


@pytest.mark.parametrize(
    "typed",
    [PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), "", PASSWORD + "\0", PASSWORD * 50, "\ud800" * 20],
)
async def test_only_the_very_password_is_verified(make_hasher: MakeHasher, typed: str) -> None:
    hasher = make_hasher()
    hashed = await hasher.hash(PASSWORD)

    assert await hasher.verify(PASSWORD, hashed)
    assert not await hasher.verify(typed, hashed)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "no hash",
        "$argon2id$v=19$m=19456,t=2,p=1$",
        f"$argon2id$v=19$m=19456,t=2,p=1,data=AAAA${SALT_AND_DIGEST}",
        f"$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAA${SALT_AND_DIGEST}",
        "$2b$12$" + "a" * 53,
        PASSWORD,
    ],
)
async def test_what_is_no_hash_verifies_nothing(make_hasher: MakeHasher, stored: str) -> None:
    (outcome,) = await asyncio.gather(make_hasher().verify(PASSWORD, stored), return_exceptions=True)

    assert outcome is False


@pytest.mark.parametrize("typed", ["\x01", "x" * 1025])
async def test_a_password_nobody_can_have_is_not_the_empty_one(make_hasher: MakeHasher, typed: str) -> None:
    hasher = make_hasher()
    of_nothing = await hasher.hash("")

    assert await hasher.verify("", of_nothing)
    assert not await hasher.verify(typed, of_nothing)


def hashed_with(**cost: Any) -> str:
    return str(argon2.using(**{"type": "ID", "memory_cost": 19_456, "rounds": 2, **cost}).hash(PASSWORD))


@pytest.mark.parametrize(
    ("stored", "is_outdated"),
    [
        pytest.param(hashed_with, False, id="the same cost"),
        pytest.param(lambda: hashed_with(rounds=3), False, id="more passes"),
        pytest.param(lambda: hashed_with(memory_cost=65_536), False, id="more memory"),
        pytest.param(lambda: hashed_with(memory_cost=47_104, rounds=1), False, id="more memory, one pass"),
        pytest.param(lambda: hashed_with(rounds=1), True, id="fewer passes"),
        pytest.param(lambda: hashed_with(memory_cost=8_192), True, id="less memory"),
        pytest.param(lambda: hashed_with(type="I", rounds=9), True, id="argon2i"),
        pytest.param(lambda: hashed_with(type="D", rounds=9), True, id="argon2d"),
        pytest.param(lambda: "$2b$12$" + "a" * 53, True, id="another scheme"),
        pytest.param(lambda: f"$argon2id$m=19456,t=2,p=1,keyid=A${SALT_AND_DIGEST}", True, id="a key's"),
    ],
)
def test_only_a_hash_below_the_policy_is_outdated(
    make_hasher: MakeHasher, stored: Callable[[], str], is_outdated: bool
) -> None:
    assert make_hasher().is_outdated(stored()) is is_outdated


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
async def test_hashing_threads_step_back_behind_requests(make_hasher: MakeHasher) -> None:
    before = set(threading.enumerate())
    await make_hasher(niceness=7).hash(PASSWORD)

    (thread,) = set(threading.enumerate()) - before

    assert thread.native_id is not None
    assert os.getpriority(os.PRIO_PROCESS, thread.native_id) == 7
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < 7


async def test_no_more_threads_hash_than_were_asked_for(make_hasher: MakeHasher) -> None:
    hasher = make_hasher(threads=2)
    before = set(threading.enumerate())

    for _ in range(4):
        await hasher.hash(PASSWORD)

    assert len(set(threading.enumerate()) - before) <= 2


async def test_nobody_is_told_to_come_again_later_than_those_who_wait_were_to_have_their_turn(
    make_hasher: MakeHasher,
) -> None:
    hasher, release = make_hasher(max_wait_seconds=0.5), threading.Event()
    work: list[Callable[[], object]] = [lambda: keep_busy(1), *[lambda: release.wait(20)] * 8]
    tasks = [asyncio.create_task(hasher._run(one)) for one in work]  # noqa: SLF001 - no password takes as long

    await tasks[0]  # now each is expected to take longer than when they were let in
    (refusal,) = await asyncio.gather(hasher.verify(PASSWORD, "no hash"), return_exceptions=True)
    release.set()
    await asyncio.gather(*tasks)

    assert isinstance(refusal, Unavailable)
    assert refusal.retry_after == 1


def keep_busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_password_is_normalised_to_nfc_and_nothing_else() -> None:
    assert normalise("e\u0301") == "\u00e9"
    assert normalise(" \ufb01 A\u00a0") == " \ufb01 A\u00a0"


@pytest.mark.parametrize(
    ("password", "storable"),
    [
        ("x" * 1024, True),
        ("x" * 1025, False),
        ("a\nb", False),
        ("a\0b", False),
        ("\ud800", False),
        ("🔑", True),
    ],
)
def test_what_could_never_have_been_stored_is_known(password: str, storable: bool) -> None:
    assert is_storable(password) is storable
