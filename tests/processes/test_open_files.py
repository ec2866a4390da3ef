"""A server and the number of files that its host lets it open: enough for its connections, or no start."""

import sys
from pathlib import Path

import pytest

from tests.fixtures.installation import Installation
from tests.fixtures.process import ServerProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process may open is read from /proc")


def started(installation: Installation, limits: str) -> ServerProcess:
    """A server that a shell starts after setting its limits."""
    server = ServerProcess(
        "serve",
        settings=installation.settings,
        folder=installation.folder,
        through=("sh", "-c", f'{limits} && exec "$@"', "sh"),
        is_traced=True,
    )
    installation.servers.append(server)
    return server


def soft_limit(pid: int) -> int:
    [line] = [
        line
        for line in Path(f"/proc/{pid}/limits").read_text().splitlines()
        if line.startswith("Max open files")
    ]
    return int(line.split()[3])


def test_a_soft_limit_in_the_way_is_raised(embedded: Installation) -> None:
    server = started(embedded, "ulimit -Sn 256").wait_until_serving()

    assert soft_limit(server.pid) >= 2_000


def test_a_hard_limit_in_the_way_is_refused_with_what_to_write(embedded: Installation) -> None:
    server = started(embedded, "ulimit -n 1000")

    assert server.wait() == 1
    said = server.stderr.strip().splitlines()[-1]
    assert "AUTHSVC_MAX_CONNECTIONS is 2000" in said
    assert "LimitNOFILE=2210" in said
    assert "AUTHSVC_MAX_CONNECTIONS=790" in said
