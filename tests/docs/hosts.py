"""The machine that the pages are read on: a Postgres and a Redis of its own, a home, and a terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from authsvc.demo_credentials import DEMO_PASSWORD
from tests.docs.pages import AUTHSVC
from tests.docs.reader import Reader
from tests.docs.software import CLIENTS
from tests.docs.terminal import Terminal
from tests.fixtures.command import environment
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.processes import free_port
from tests.fixtures.redis import RedisServer


@contextmanager
def reading(folder: Path, *, at: Path | None = None) -> Iterator[Reader]:
    """Sit down at a machine with stores, in the folder *at*; everything on it ends with the block."""
    with closing(PostgresServer()) as postgres, closing(RedisServer()) as redis:
        postgres.start()
        redis.start()
        port = free_port()
        swaps = {
            str(AUTHSVC): str(port),
            "db.internal:5432": f"127.0.0.1:{postgres.port}",
            "redis.internal:6379": f"127.0.0.1:{redis.port}",
            "--workers 4": "--workers 2",
            # Tests are reachable from this machine alone.
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - what is replaced
        }
        settings = {
            "HOME": str(folder),
            "PATH": _path(postgres.programs, redis.programs),
            "MAKEFLAGS": f"PORT={port}",
            "AUTHSVC_DATA_DIR": str(folder / "data"),
        }
        log = folder / "server.log"
        typed = Terminal(at or folder, environment(settings), log=log, password=DEMO_PASSWORD)
        with closing(typed) as terminal:
            yield Reader(terminal, port, swaps)


def _path(*programs: Path) -> str:
    """Put the programs of this environment and of the servers first; skip where one is missing."""
    here = Path(sys.executable).parent
    found = os.pathsep.join([str(here), *map(str, programs), os.environ.get("PATH", os.defpath)])
    for client in CLIENTS:
        client.demand(found)
    return found
