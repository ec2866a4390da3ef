"""How long a hash is expected to take: as the latest ones did, and not as long as the process was stopped."""

import os
import signal
import subprocess
import sys
import time

import pytest

from authsvc.hash_estimate import HashEstimate, HashTime

STOPPED_SECONDS = 3
PROGRAM = """
import asyncio, time
from authsvc.passwords import PasswordHasher, nobodys_hash


def hash_until_stopped():
    print("hashing", flush=True)
    time.sleep(0.5)


async def main():
    cost = {"memory_kib": 19_456, "passes": 2, "lanes": 1}
    hasher = PasswordHasher(**cost, threads=1, niceness=0, max_wait_seconds=0.5)
    began = time.monotonic()
    await hasher._run(hash_until_stopped)
    print(time.monotonic() - began)
    stored = nobodys_hash(hasher.policy_prefix)
    print(*await asyncio.gather(*(hasher.verify("a", stored) for _ in range(4)), return_exceptions=True))


asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is stopped there")
def test_after_a_stop_of_the_process_passwords_are_hashed_as_before() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hashing\n"
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(STOPPED_SECONDS)
        os.kill(process.pid, signal.SIGCONT)
        took, said = process.communicate(timeout=60)[0].splitlines()

    assert float(took) >= STOPPED_SECONDS
    assert said == "False False False False"


def test_of_hashes_that_were_stopped_together_none_adds_to_the_other() -> None:
    estimate = HashEstimate()
    before = estimate.seconds

    for _ in range(64):
        estimate.learn(HashTime(60, cpu_seconds=0.02, expected=before))

    assert estimate.seconds <= 5 * before


def test_hashes_that_have_become_slow_are_expected_to_be_after_a_few() -> None:
    estimate = HashEstimate()

    for _ in range(12):
        estimate.learn(HashTime(1, cpu_seconds=0.02, expected=estimate.seconds))

    assert 0.7 < estimate.seconds <= 1


def test_what_the_processor_was_at_counts_whole() -> None:
    estimate = HashEstimate()

    for _ in range(2):
        estimate.learn(HashTime(10, cpu_seconds=10, expected=0.05))

    assert 3.5 < estimate.seconds < 10


def test_hashes_that_have_become_quick_are_expected_to_be() -> None:
    estimate = HashEstimate()

    for _ in range(30):
        estimate.learn(HashTime(0.01, cpu_seconds=0.01, expected=estimate.seconds))

    assert 0.01 < estimate.seconds < 0.011
