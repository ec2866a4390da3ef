"""A server that starts before its stores."""

import time
from collections.abc import Iterator

import pytest

from tests.fixtures.installation import SECRET, Installation, Installer
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.processes import free_port


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A Postgres that a test may stop."""
    server = PostgresServer()
    try:
        server.start()
        server.create_database("authsvc")
        yield server
    finally:
        server.close()


@pytest.fixture
def installation(own_postgres: PostgresServer, embedded: Installation) -> Iterator[Installation]:
    """Migrated, with a Redis that is away."""
    made = embedded.having(
        DATABASE_URL=own_postgres.url("authsvc"),
        REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
        SECRET_KEYS=SECRET,
    )
    own_postgres.start()
    made.run("db", "upgrade").text()
    yield made
    made.stop()


def test_it_waits_for_postgres_and_serves_as_soon_as_that_has_come_with_redis_or_without(
    own_postgres: PostgresServer, installation: Installation
) -> None:
    own_postgres.stop()
    server = installation.start("serve")
    server.wait_for("waiting_for_database")

    own_postgres.start()

    server.wait_until_serving()
    assert server.http.get("/readyz").json() | {"redis_reason": ""} == {
        "status": "degraded",
        "database": "ok",
        "redis": "away",
        "redis_reason": "",
    }


def test_it_waits_so_long_and_then_says_what_is_wrong(
    own_postgres: PostgresServer, installation: Installation
) -> None:
    own_postgres.stop()
    started_at = time.monotonic()

    refused = installation.having(START_WAIT_SECONDS="2").run("serve", "--port", str(free_port())).refusal()

    assert time.monotonic() - started_at >= 1
    *waited, sentence = refused.splitlines()
    assert 1 <= len(waited) <= 2
    assert all('"event": "waiting_for_database"' in line for line in waited)
    assert sentence.startswith("AUTHSVC_DATABASE_URL: the database cannot be reached (")


def test_it_does_not_wait_for_a_database_that_nobody_has_made(
    own_postgres: PostgresServer, installation: Installation
) -> None:
    own_postgres.start()
    stranger = installation.having(DATABASE_URL=own_postgres.url("nobody"), START_WAIT_SECONDS="30")

    refused = stranger.run("serve", "--port", str(free_port())).refusal()

    assert len(refused.splitlines()) == 1
    assert '"nobody" does not exist' in refused


def test_it_serves_with_the_very_services_that_were_checked(installer: Installer) -> None:
    with installer.installed("postgres") as made:
        server = made.start("serve").wait_until_serving()

        assert server.http.get("/readyz").json()["status"] == "ready"
        assert server.stderr.count('"denylist_trusted"') == 1
