"""Hashing where argon2 gets no memory, in a process with such a limit: nothing is told of a password."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit is not kept")

REFUSAL = "There is no memory to hash a password now."
PROGRAM = """
import asyncio, resource, sys
from authsvc.errors import Unavailable
from authsvc.passwords import PasswordHasher, nobodys_hash

stored, policy_kib, room = nobodys_hash(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) * 2**20


async def outcome(work):
    try:
        return type(await work).__name__
    except Unavailable as refusal:
        return refusal.description
    except Exception as error:
        return repr(error)


async def main():
    cost = {"memory_kib": policy_kib, "passes": 1, "lanes": 1}
    hasher = PasswordHasher(**cost, threads=1, niceness=0, max_wait_seconds=60)
    await hasher.warm_up()
    (size,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmSize:")]
    resource.setrlimit(resource.RLIMIT_AS, (int(size) * 1024 + room, resource.RLIM_INFINITY))
    said = [await outcome(hasher.verify("a", stored)), await outcome(hasher.hash("a"))]
    said.append(await outcome(hasher.verify("a", "no hash")))
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(*said, await outcome(hasher.verify("a", stored)), sep="\\n")


asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("lanes", "policy_kib", "room", "said"),
    [
        pytest.param(1, 65_536, 20, [REFUSAL, REFUSAL, REFUSAL], id="for any hash"),
        # Its 64 MiB are there, and not the stacks of its threads; one of the policy has no other thread.
        pytest.param(2, 19_456, 65, [REFUSAL, "str", "bool"], id="for the threads of lanes"),
    ],
)
def test_without_memory_a_password_is_neither_right_nor_wrong(
    lanes: int, policy_kib: int, room: int, said: list[str]
) -> None:
    arguments = [f"$argon2id$v=19$m=65536,t=1,p={lanes}$", str(policy_kib), str(room)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.splitlines() == [*said, "bool"], done.stderr
