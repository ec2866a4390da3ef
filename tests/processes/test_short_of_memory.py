"""A server that gets no memory for a hash: what it cannot look at is 503, neither wrong nor a guess."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures.installation import Installer
from tests.fixtures.process import ServerProcess
from tests.fixtures.service import PASSWORD, USERNAME

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there is the limit kept, and changed")
MIB = 2**20
GUESSES = 2


@contextmanager
def memory_left(server: ServerProcess, size: int) -> Iterator[None]:
    """Let *server* get so many bytes more than it has, and no more."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    (has,) = [int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmSize:")]
    before = resource.prlimit(server.pid, resource.RLIMIT_AS, (has + size, resource.RLIM_INFINITY))
    yield
    resource.prlimit(server.pid, resource.RLIMIT_AS, before)


def test_a_password_that_there_is_no_memory_to_check_is_503_and_no_guess(installer: Installer) -> None:
    """There is enough for a hash of the policy, and not for this account's, which is from before."""
    with installer.installed("sqlite", GUESSES_PER_ACCOUNT_AND_ADDRESS=str(GUESSES)) as made:
        made.having(HASH_MEMORY_KIB="65536").add_account()
        server = made.start("serve").wait_until_serving()
        form = {"username": USERNAME, "password": PASSWORD}
        assert server.http.post("/login", data=form).status_code == 200

        with memory_left(server, 40 * MIB):
            refused = [server.http.post("/login", data=form) for _ in range(GUESSES + 1)]
        after = server.http.post("/login", data=form)

    assert [answer.status_code for answer in refused] == [503] * (GUESSES + 1)
    assert {answer.headers.get("retry-after") for answer in refused} == {"1"}
    assert {answer.json()["error"] for answer in refused} == {"temporarily_unavailable"}
    assert after.status_code == 200
