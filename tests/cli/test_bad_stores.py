"""Stores that answer and are of no use: each command says which variable, why, and what to write."""

import json
import threading
from collections.abc import Iterator

import pytest
from redis import Redis

from authsvc.storage.redis_refusal import ACL_RULE
from tests.fixtures import strangers
from tests.fixtures.database import execute
from tests.fixtures.installation import Installation, Installer
from tests.fixtures.processes import free_port
from tests.fixtures.redis import RedisServer

COMMANDS = [("serve", "--port", "0000"), ("users", "list"), ("keys", "list"), ("db", "purge")]
NO_TLS = (
    "AUTHSVC_DATABASE_URL: what answers there is a Postgres without TLS, or none at all. "
    "Turn TLS on there (ssl = on) or take ?ssl=… out of the URL, or name a Postgres"
)
AWAY = "Is it running, and are host, port, user, password and database name right?"
READ_ONLY = (
    "AUTHSVC_DATABASE_URL: this Postgres takes no writes: it is a replica, or set to read only. "
    "Name the primary"
)


@pytest.fixture(scope="module")
def own_redis() -> Iterator[RedisServer]:
    """A Redis that a test may turn into anything."""
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def own_postgres(installer: Installer) -> Iterator[Installation]:
    with installer.installed("postgres", REDIS_URL="") as made:
        yield made


@pytest.fixture
def web_server() -> Iterator[int]:
    """The port of something that speaks HTTP."""
    with strangers.web_server() as port:
        yield port


def refusals(installation: Installation) -> set[str]:
    """What each command says; the port is a free one."""
    port = str(free_port())
    commands = [[port if word == "0000" else word for word in command] for command in COMMANDS]
    return {installation.run(*command).refusal() for command in commands}


def redis_problem(installation: Installation) -> tuple[str, str]:
    """What the doctor says of Redis, and what to type."""
    found = installation.run("doctor", "--json", "--port", str(free_port()))
    assert found.status == 1
    [redis] = [finding for finding in _findings(found.stdout) if finding["subject"] == "redis"]
    return redis["what"], redis["cure"]


def _findings(text: str) -> list[dict[str, str]]:
    findings: list[dict[str, str]] = json.loads(text)
    return findings


def test_what_is_no_redis_is_refused(embedded: Installation, web_server: int) -> None:
    stranger = embedded.having(REDIS_URL=f"redis://:hunter2@127.0.0.1:{web_server}/0")

    assert refusals(stranger) == {
        "AUTHSVC_REDIS_URL: what answers there is no Redis. Write the address of one: redis://HOST:6379/0"
    }
    assert redis_problem(stranger) == (
        "AUTHSVC_REDIS_URL: what answers there is no Redis",
        "Write the address of one: redis://HOST:6379/0",
    )


def test_a_database_that_redis_does_not_have_is_refused(
    embedded: Installation, own_redis: RedisServer
) -> None:
    [refused] = refusals(embedded.having(REDIS_URL=own_redis.url(99)))

    assert refused == (
        "AUTHSVC_REDIS_URL: Redis has no such database (DB index is out of range). "
        "Name one that it has (a cluster has 0 alone): redis://HOST:6379/0"
    )


def test_a_user_who_may_not_read_our_keys_is_refused(embedded: Installation, own_redis: RedisServer) -> None:
    with Redis.from_url(own_redis.url()) as client:
        client.acl_setuser(
            "stranger", enabled=True, passwords=["+hunter2"], keys=["others:*"], categories=["+@all"]
        )
    url = own_redis.url().replace("://", "://stranger:hunter2@")

    [refused] = refusals(embedded.having(REDIS_URL=url))

    assert refused.startswith("AUTHSVC_REDIS_URL: Redis lets its user do too little (")
    assert refused.endswith(f"Give it all that it needs: redis-cli ACL SETUSER USER {ACL_RULE}")
    assert "hunter2" not in refused


def test_a_postgres_that_takes_no_writes_is_refused(own_postgres: Installation) -> None:
    name = own_postgres.database_url.rpartition("/")[2]
    execute(own_postgres.database_url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')

    assert refusals(own_postgres) == {READ_ONLY}
    found = own_postgres.run("doctor", "--json", "--port", str(free_port()))
    assert [one["what"] for one in _findings(found.stdout) if one["subject"] == "database"] == [
        READ_ONLY.removesuffix(". Name the primary")
    ]


def test_a_role_without_rights_is_refused_with_what_to_grant(own_postgres: Installation) -> None:
    execute(
        own_postgres.database_url,
        "CREATE ROLE stranger_of_stores LOGIN",
        "GRANT SELECT ON alembic_version TO stranger_of_stores",
    )
    try:
        host = own_postgres.database_url.rpartition("@")[2]
        [refused] = refusals(own_postgres.having(DATABASE_URL=f"postgresql://stranger_of_stores@{host}"))
    finally:
        execute(own_postgres.database_url, "DROP OWNED BY stranger_of_stores", "DROP ROLE stranger_of_stores")

    assert refused.startswith("AUTHSVC_DATABASE_URL: the role lacks a right (permission denied for table ")
    assert refused.endswith(
        "Name the role that owns the tables, or let that one grant this one to read and write them"
    )


def test_tables_that_lack_a_column_are_refused(own_postgres: Installation) -> None:
    execute(own_postgres.database_url, "ALTER TABLE signing_key DROP COLUMN algorithm")

    [refused] = refusals(own_postgres)

    assert refused == (
        "The tables are not those of this version (column signing_key.algorithm does not exist). "
        "Restore them from a backup, or name another database in AUTHSVC_DATABASE_URL."
    )


def test_a_database_whose_tables_have_the_same_names_is_left_as_it_is(installer: Installer) -> None:
    with installer.installed("postgres", migrated=False) as foreign:
        execute(foreign.database_url, "CREATE TABLE account (id int)")

        assert foreign.run("db", "upgrade").refusal() == (
            'The database refused the migration: relation "account" already exists. '
            "If it is another application's, name another in AUTHSVC_DATABASE_URL."
        )
        assert foreign.run("db", "current", "--json").json()["now"] is None


def test_a_wrong_password_is_refused_with_what_to_write(own_postgres: Installation) -> None:
    host = own_postgres.database_url.rpartition("@")[2]
    stranger = own_postgres.having(DATABASE_URL=f"postgresql://nobody_at_all:hunter2@{host}")

    [refused] = refusals(stranger)

    assert refused == (
        'AUTHSVC_DATABASE_URL: Postgres refuses the login (role "nobody_at_all" does not exist). '
        "Write the right one into it: postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    )


def test_a_database_that_does_not_exist_is_refused_with_how_to_make_it(own_postgres: Installation) -> None:
    host = own_postgres.database_url.rpartition("/")[0]

    [refused] = refusals(own_postgres.having(DATABASE_URL=f"{host}/nowhere"))

    assert refused == (
        'AUTHSVC_DATABASE_URL: Postgres has no such database (database "nowhere" does not exist). '
        "Make it with createdb, or name another"
    )


def test_a_postgres_without_tls_is_named_where_tls_is_asked_for(own_postgres: Installation) -> None:
    [refused] = refusals(own_postgres.having(DATABASE_URL=f"{own_postgres.database_url}?ssl=require"))

    assert refused == NO_TLS


@pytest.mark.parametrize("kind", ["a web server", "a Redis", "one that hangs up", "one that talks"])
def test_what_is_no_postgres_is_named(
    own_postgres: Installation, own_redis: RedisServer, web_server: int, kind: str
) -> None:
    with (
        strangers.stubborn_server(b"") as hanging_up,
        strangers.stubborn_server(b"what is it that you want of me, at this time of the night?") as talking,
    ):
        ports = {"a web server": web_server, "a Redis": own_redis.port, "one that hangs up": hanging_up}
        url = f"postgresql://authsvc:hunter2@127.0.0.1:{ports.get(kind, talking)}/authsvc"
        [refused] = refusals(
            own_postgres.having(DATABASE_URL=url, START_WAIT_SECONDS="0", DATABASE_TIMEOUT_SECONDS="0.5")
        )

    assert refused == NO_TLS or refused.endswith(AWAY)
    assert refused.startswith("AUTHSVC_DATABASE_URL: ")
    assert "hunter2" not in refused


@pytest.mark.parametrize("name", ["missing/authsvc.db", "."], ids=["in no folder", "a folder"])
def test_a_file_that_cannot_be_opened_is_refused_and_leaves_no_thread(
    embedded: Installation, name: str
) -> None:
    nowhere = embedded.having(DATABASE_URL=f"sqlite+aiosqlite:///{embedded.folder / name}")
    before = set(threading.enumerate())

    [refused] = refusals(nowhere)

    assert refused == (
        "AUTHSVC_DATABASE_URL: the SQLite file cannot be used (unable to open database file). "
        "Is its folder there, may this user write to both, and is there space? "
        "(For `authsvc dev`: AUTHSVC_DATA_DIR.)"
    )
    assert set(threading.enumerate()) - before == set()
