"""SIGTERM to real servers under load: what was accepted is answered, what was answered is kept (P13)."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGINT, SIGTERM, Signals

import httpx
import pytest

from tests.fixtures.database import query
from tests.fixtures.installation import Installation, Installer
from tests.fixtures.load import CONNECTIONS, Load
from tests.fixtures.process import ServerProcess
from tests.fixtures.processes import free_port

ENOUGH = 40
KILLED = 128


@pytest.fixture(scope="module")
def installation(installer: Installer) -> Iterator[Installation]:
    # A full queue of passwords is refused with 503, which is an answer too; here logins are to be many.
    with installer.installed("postgres", HASH_MAX_WAIT_SECONDS="20") as made:
        made.add_account()
        yield made


def serving(installation: Installation, workers: int = 1) -> ServerProcess:
    server = installation.start("serve", "--workers", str(workers)).wait_until_serving()
    server.wait_for_workers(workers)
    return server


@contextmanager
def unfinished_request(server: ServerProcess) -> Iterator[socket.socket]:
    """A request that was accepted, and whose body never comes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        head = f"POST /login HTTP/1.1\r\nHost: {server.url}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n"
        connection.sendall(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        yield connection


def kept(installation: Installation) -> tuple[int, int]:
    """How many sessions there are, and how many of them have ended."""
    [counts] = query(installation.database_url, "SELECT count(*), count(ended_at) FROM session")
    return int(counts[0]), int(counts[1])


@pytest.mark.demand("F-09")
@pytest.mark.parametrize("workers", [1, 2])
def test_every_request_that_was_accepted_is_answered_and_every_answer_is_kept(
    installation: Installation, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions, ended = kept(installation)
    server = serving(installation, workers)
    load = Load(server.url)

    with load.running():
        load.wait_for(ENOUGH)
        server.send(SIGTERM)
        status = server.wait()

    with capsys.disabled():
        print(f"\n--workers {workers}: {load}")
    assert status == 0
    assert load.answered("/login") == load.answers["/login 200"]
    assert load.answered("/logout") == load.answers["/logout 204"]
    # A request that was read and lost its answer would be a session, or an end, that nobody was told of.
    assert kept(installation) == (
        sessions + load.answers["/login 200"],
        ended + load.answers["/logout 204"],
    )
    assert load.unread <= CONNECTIONS


@pytest.mark.demand("F-09")
def test_a_load_balancer_that_follows_readiness_sees_no_request_fail(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serving(installation.having(DRAIN_SECONDS="2"))
    load = Load(server.url)

    with load.running():
        load.wait_for(ENOUGH)
        server.send(SIGTERM)
        while (readiness := httpx.get(f"{server.url}/readyz", trust_env=False)).status_code == 200:
            time.sleep(0.01)
        load.is_enough.set()
        status = server.wait()

    with capsys.disabled():
        print(f"\nwith a load balancer: {load}")
    assert (readiness.status_code, readiness.json()["status"]) == (503, "stopping")
    assert readiness.headers["connection"] == "close"
    assert (load.unread, load.refused) == (0, 0)
    assert load.answered("/me") == load.answers["/me 200"]
    assert status == 0


def test_a_request_that_never_ends_is_waited_for_so_long_and_no_longer(installation: Installation) -> None:
    server = serving(installation.having(STOP_SECONDS="1"))

    with unfinished_request(server):
        told_at = time.monotonic()
        server.send(SIGINT)
        status = server.wait()

    assert status == 0
    assert time.monotonic() - told_at >= 1


@pytest.mark.parametrize(("workers", "number"), [(1, SIGTERM), (1, SIGINT), (2, SIGTERM)])
def test_whoever_says_it_twice_does_not_wait(
    installation: Installation, workers: int, number: Signals
) -> None:
    server = serving(installation, workers)

    with unfinished_request(server):
        server.send(number)
        server.wait_for("Waiting for connections to close")
        server.send(number)
        status = server.wait()

    # Had it waited for the request, it would be that of an orderly stop.
    assert status == KILLED + number


def test_a_server_that_still_waits_for_its_database_stops_at_once(embedded: Installation) -> None:
    waiting = embedded.having(DATABASE_URL=f"postgresql://authsvc@127.0.0.1:{free_port()}/authsvc")
    server = waiting.start("serve")
    server.wait_for("waiting_for_database")

    # One that waits on is killed.
    assert server.stop() == 0

    assert "Traceback" not in server.stderr
