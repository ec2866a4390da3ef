"""`authsvc serve --workers 2` on Postgres and Redis: one port, two processes, and none left behind."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL

import httpx
import pytest

from tests.fixtures.crowd import Crowd
from tests.fixtures.installation import Installation, Installer
from tests.fixtures.postgres import PostgresServer

LIMIT_SECONDS = 20


def test_two_workers_serve_one_port_and_go_with_their_parent(installer: Installer) -> None:
    with installer.installed("postgres") as made:
        server = made.start("serve", "--workers", "2")
        crowd = Crowd.around(made, [server])
        access_token = crowd.login(server)["access_token"]

        assert crowd.live([access_token] * 50) == [True] * 50
        workers = server.wait_for_workers(2)
        assert server.pid not in workers
        assert server.stop() == 0
        assert [pid for pid in workers if _exists(pid)] == []


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A Postgres that a test may stop."""
    server = PostgresServer()
    try:
        server.start()
        server.create_database("authsvc")
        yield server
    finally:
        server.close()


def test_a_worker_that_dies_is_replaced_as_soon_as_its_database_is_there_and_the_other_serves_on(
    own_postgres: PostgresServer, embedded: Installation
) -> None:
    made = embedded.having(DATABASE_URL=own_postgres.url("authsvc"), START_WAIT_SECONDS="1")
    made.run("db", "upgrade").text()
    server = made.start("serve", "--workers", "2").wait_until_serving()
    server.wait_for("Application startup complete", times=2)
    first, second = server.wait_for_workers(2)
    asked = [httpx.get(f"{server.url}/me", trust_env=False).status_code for _ in range(5)]

    own_postgres.stop()
    os.kill(first, SIGKILL)
    server.wait_for('"worker_replaced"', times=2)  # the second time one that could not start

    assert httpx.get(f"{server.url}/healthz", trust_env=False).status_code == 200
    assert [_exists(pid) for pid in (first, second)] == [False, True]
    own_postgres.start()
    server.wait_for("Application startup complete", times=3)
    told = [json.loads(line) for line in server.stderr.splitlines() if '"worker_replaced"' in line]
    assert [(line["pid"], line["exit_status"]) for line in told[:2]] == [
        (first, -SIGKILL),
        (told[0]["by"], 3),
    ]
    counted = httpx.get(f"{server.url}/metrics", trust_env=False).text
    line = 'authsvc_request_seconds_count{method="GET",route="/me",status="401"} '
    assert f"{line}{float(len(asked))}\n" in counted
    assert server.stop() == 0


def test_workers_do_not_outlive_a_parent_that_was_killed(installer: Installer) -> None:
    with installer.installed("postgres") as made:
        server = made.start("serve", "--workers", "2").wait_until_serving()
        workers = server.wait_for_workers(2)

        os.kill(server.pid, SIGKILL)
        server.wait()

        deadline = time.monotonic() + LIMIT_SECONDS
        while left := [pid for pid in workers if _exists(pid)]:
            assert time.monotonic() < deadline, f"{left} serve on"
            time.sleep(0.02)


def _exists(pid: int) -> bool:
    """Whether it runs; a process that ended, and whose parent has not looked, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
