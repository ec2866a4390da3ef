"""`authsvc serve`: what it refuses to start with, each with the line or the command that mends it."""

import shutil
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from redis import Redis

from authsvc.storage.migrations import newest_revision
from tests.fixtures.command import run_here
from tests.fixtures.database import stamp
from tests.fixtures.installation import Installation, Installer
from tests.fixtures.processes import free_port
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import USERNAME

MAKE_A_SECRET = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'."
NOT_OURS = (
    "The database is at migration {} of a newer authsvc, or of another application. "
    "Install that version, or name another database."
)

NOT_READABLE = (
    "AUTHSVC_DATABASE_URL cannot be read as a URL; write postgresql://USER:PASSWORD@HOST:5432/DATABASE, "
    "in USER and PASSWORD %40 for @, %3A for : and %2F for /"
)


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis whose configuration a test may change."""
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


def refusal_of(installation: Installation, *options: str) -> str:
    return installation.run("serve", "--port", str(free_port()), *options).refusal()


def test_a_good_configuration_is_not_refused(installation: Installation) -> None:
    assert installation.run("serve", "--port", str(free_port())).text() == "It serves.\n"


def test_settings_that_are_missing_are_named_all_at_once() -> None:
    refused = run_here("serve", settings={}).refusal()

    assert refused == (
        "AUTHSVC_DATABASE_URL is not set; write postgresql://USER:PASSWORD@HOST:5432/DATABASE, "
        "or start `authsvc dev`, which needs none.\n"
        f"AUTHSVC_SECRET_KEYS is not set; {MAKE_A_SECRET}"
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        pytest.param(
            "SECRET_KEYS",
            "short",
            f"AUTHSVC_SECRET_KEYS needs secrets of at least 32 characters; {MAKE_A_SECRET}",
            id="a short secret",
        ),
        pytest.param(
            "ISSUER",
            "auth.example.com",
            "AUTHSVC_ISSUER must be a bare https URL such as https://auth.example.com: "
            "no path, query, fragment, user or slash at the end.",
            id="an issuer that is no URL",
        ),
        pytest.param(
            "ISSUER",
            "http://auth.example.com",
            "AUTHSVC_ISSUER is http beyond loopback, where anyone can read tokens; write it with https://.",
            id="an http issuer off loopback",
        ),
        pytest.param(
            "REFRESH_OVERLAPS_SECONDS",
            "5",
            "AUTHSVC_REFRESH_OVERLAPS_SECONDS is no setting of authsvc. "
            "Did you mean AUTHSVC_REFRESH_OVERLAP_SECONDS?",
            id="a misspelt variable",
        ),
        pytest.param(
            "QUUX",
            "hello",
            "AUTHSVC_QUUX is no setting of authsvc. See .env.example for the list.",
            id="an invented variable",
        ),
        pytest.param(
            "DATABASE_URL",
            "postgresql://authsvc:hunter2@db:notaport/authsvc",
            NOT_READABLE,
            id="a database URL without a readable port",
        ),
        pytest.param(
            "DATABASE_URL",
            "postgresql://authsvc:hunter2@db/authsvc?application_name=authsvc",
            "AUTHSVC_DATABASE_URL has the parameter application_name, and the driver knows "
            "prepared_statement_cache_size, ssl, target_session_attrs only; for TLS write ?ssl=require",
            id="a database URL for another driver",
        ),
        pytest.param(
            "REDIS_URL",
            "redis://:hunter2@cache:notaport/0",
            "AUTHSVC_REDIS_URL cannot be read as a URL; write redis://USER:PASSWORD@HOST:6379/0, "
            "in USER and PASSWORD %40 for @, %3A for : and %2F for /",
            id="a Redis URL without a readable port",
        ),
        pytest.param(
            "REDIS_URL",
            "redis://:hunter2@cache:6379/0?hunter2=1",
            "AUTHSVC_REDIS_URL has a parameter that the driver does not know, or a value that it does not "
            "take; write redis://HOST:6379/0, or with TLS rediss://HOST:6379/0?ssl_ca_certs=FILE",
            id="a Redis URL for another driver",
        ),
        pytest.param(
            "DATABASE_URL",
            "postgresql://authsvc:hunter2@db:99999/authsvc",
            NOT_READABLE,
            id="a port beyond all ports",
        ),
        pytest.param(
            "DATABASE_URL",
            "postgresql://authsvc:hunter2@db..internal/authsvc",
            NOT_READABLE,
            id="a host that no resolver takes",
        ),
        pytest.param(
            "DATABASE_URL", "sqlite:///authsvc%00.db", NOT_READABLE, id="a NUL in the name of a file"
        ),
        *(
            pytest.param(
                name,
                "\udcff" * 40,
                f"AUTHSVC_{name} holds bytes that are no UTF-8; write it as text.",
                id=f"{name} of bytes",
            )
            for name in ("SECRET_KEYS", "DATABASE_URL", "REDIS_URL", "AUDIENCE")
        ),
    ],
)
def test_a_setting_that_is_wrong_is_refused_with_what_to_write(
    embedded: Installation, name: str, value: str, sentence: str
) -> None:
    assert refusal_of(embedded.having(**{name: value})) == sentence


@pytest.mark.parametrize(
    "name", ["TEST_DATABASE_URL", "SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT", "PORT_8000_TCP_ADDR"]
)
def test_what_kubernetes_and_the_test_suite_set_is_ignored(embedded: Installation, name: str) -> None:
    ignored = embedded.having(**{name: "tcp://10.0.0.1:8000"})

    assert ignored.run("serve", "--port", str(free_port())).text() == "It serves.\n"


@pytest.mark.parametrize("kind", ["postgres", "sqlite"])
def test_a_database_without_tables_is_refused_with_the_command_that_makes_them(
    installer: Installer, kind: str
) -> None:
    with installer.installed(kind, migrated=False) as empty:  # type: ignore[arg-type] # one of the two
        assert refusal_of(empty) == (
            f"The database is at migration none and this version needs {newest_revision()}. "
            "Run: authsvc db upgrade"
        )


@pytest.mark.parametrize("revision", ["9999", "2f6d1c0a9b3e"], ids=["ahead", "of another application"])
def test_a_database_at_a_migration_that_is_not_known_is_refused(
    installation: Installation, revision: str
) -> None:
    stamp(installation.database_url, revision)

    assert refusal_of(installation) == NOT_OURS.format(revision)


def test_a_postgres_that_is_away_is_refused_with_what_to_look_at(embedded: Installation) -> None:
    away = embedded.having(
        DATABASE_URL=f"postgresql://authsvc:hunter2@127.0.0.1:{free_port()}/authsvc", START_WAIT_SECONDS="0"
    )

    refused = refusal_of(away)

    assert refused.startswith("AUTHSVC_DATABASE_URL: the database cannot be reached (")
    assert refused.endswith("Is it running, and are host, port, user, password and database name right?")
    assert "hunter2" not in refused


def test_a_database_that_is_not_there_is_refused_with_its_name(installer: Installer) -> None:
    with installer.installed("postgres") as made:
        stranger = made.having(DATABASE_URL=made.database_url + "_of_nobody")

        assert '_of_nobody" does not exist' in refusal_of(stranger)


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"])
def test_a_redis_that_evicts_is_refused_with_the_command_that_mends_it(
    embedded: Installation, own_redis: RedisServer, policy: str
) -> None:
    with Redis.from_url(own_redis.url()) as client:
        client.config_set("maxmemory-policy", policy)
        evicting = embedded.having(REDIS_URL=own_redis.url())

        assert refusal_of(evicting) == (
            f"AUTHSVC_REDIS_URL: this Redis evicts keys (maxmemory-policy {policy}), so it could forget that "
            "a token was revoked. Set it with: redis-cli CONFIG SET maxmemory-policy noeviction "
            "(and in redis.conf), or name another Redis."
        )

        client.config_set("maxmemory-policy", "noeviction")
        assert evicting.run("serve", "--port", str(free_port())).text() == "It serves.\n"


@pytest.mark.parametrize("credentials", ["", ":wrong@"], ids=["no password", "a wrong password"])
def test_a_redis_that_refuses_the_password_is_a_sentence(
    embedded: Installation, own_redis: RedisServer, credentials: str
) -> None:
    with Redis.from_url(own_redis.url()) as client:
        client.config_set("requirepass", "hunter2")
    url = own_redis.url().replace("://", f"://{credentials}")

    refused = refusal_of(embedded.having(REDIS_URL=url))

    assert refused.startswith("AUTHSVC_REDIS_URL: Redis refuses the password (")


def test_secrets_that_decrypt_none_of_the_signing_keys_are_refused(installation: Installation) -> None:
    installation.run("keys", "list").text()

    stranger = installation.having(SECRET_KEYS="another secret of installations under test")

    assert refusal_of(stranger) == (
        "AUTHSVC_SECRET_KEYS: none of them decrypts the signing keys in the database. "
        "Add the secret that the service ran with before; it may stand behind the new one."
    )


def test_the_database_of_dev_is_refused_because_its_password_is_published(embedded: Installation) -> None:
    data = embedded.folder / "data"
    dev = embedded.having(DATABASE_URL="", REDIS_URL="", SECRET_KEYS="", DATA_DIR=str(data))
    dev.run("dev", "--port", str(free_port())).text()
    secret = (data / "secret").read_text()

    demo = embedded.having(DATABASE_URL=f"sqlite+aiosqlite:///{data}/authsvc.db", SECRET_KEYS=secret)

    assert refusal_of(demo) == (
        "AUTHSVC_DATABASE_URL: this database holds the demo account of `authsvc dev`, whose password is "
        "published. Name another database for `authsvc serve`."
    )


def test_several_workers_on_an_embedded_database_are_refused(embedded: Installation) -> None:
    assert refusal_of(embedded, "--workers", "2") == (
        "A SQLite database serves one process; --workers 2 needs Postgres: "
        "set AUTHSVC_DATABASE_URL to postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    )


def test_a_host_that_is_not_this_machine_is_a_sentence(embedded: Installation) -> None:
    port = free_port()

    refused = embedded.run("serve", "--port", str(port), "--host", "192.0.2.1").refusal()

    assert refused == (
        f"192.0.2.1:{port} cannot be used (Cannot assign requested address); "
        "choose others with --host and --port."
    )


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("", "--host is empty; write 127.0.0.1, or 0.0.0.0 for every address of this machine."),
        ("\udcff", "--host '\\udcff' is no name; write an address, or a name of DNS."),
    ],
    ids=["empty", "no text"],
)
def test_a_host_that_is_none_is_a_sentence(embedded: Installation, host: str, sentence: str) -> None:
    assert refusal_of(embedded, "--host", host) == sentence


def test_several_workers_without_a_folder_to_count_in_are_a_sentence(installer: Installer) -> None:
    with installer.installed("postgres") as made, patch("tempfile.tempdir", "/proc"):
        assert refusal_of(made, "--workers", "2") == (
            "--workers 2: they count in one folder, and none can be made (No such file or directory). "
            "Mount one (docker run --tmpfs /tmp), or name one that may be written to: TMPDIR=/path"
        )


def test_several_workers_without_room_to_count_are_a_sentence(installer: Installer) -> None:
    full = shutil.disk_usage("/proc")  # the one file system that always has no room
    assert full.free == 0
    with installer.installed("postgres") as made, patch("shutil.disk_usage", lambda _: full):
        refused = refusal_of(made, "--workers", "3")

    assert refused.startswith("--workers 3: there is too little space in ")
    assert refused.endswith("Make room for 3 MiB there, or name another folder: TMPDIR=/path")


def test_a_metrics_folder_that_is_not_there_is_a_sentence(embedded: Installation) -> None:
    with patch.dict("os.environ", {"PROMETHEUS_MULTIPROC_DIR": "/proc/nowhere"}):
        refused = embedded.run_program("users", "list").refusal()

    assert refused == (
        "PROMETHEUS_MULTIPROC_DIR: the folder '/proc/nowhere' cannot be written to. "
        "Unset it: `authsvc serve --workers` makes one itself."
    )


def test_the_program_itself_refuses_with_exit_status_1_and_no_traceback(embedded: Installation) -> None:
    refused = embedded.having(TOKENS_FORMAT="opaque").run_program("serve", "--port", str(free_port()))

    assert refused.refusal() == (
        "AUTHSVC_TOKENS_FORMAT is no setting of authsvc. Did you mean AUTHSVC_TOKEN_FORMAT?"
    )


def test_a_command_refuses_what_the_server_would_refuse(embedded: Installation) -> None:
    stamp(embedded.database_url, "9999")

    assert embedded.run("users", "add", USERNAME).refusal() != ""
    assert embedded.run("users", "list", "--json").refusal() == NOT_OURS.format("9999")
