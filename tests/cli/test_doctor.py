"""`authsvc doctor`: ten and more broken set-ups, each named with why it matters and what to type."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from pydantic import SecretStr
from redis import Redis

from authsvc.cli.finding import Finding
from authsvc.cli.findings import Surroundings, examine
from authsvc.clock import Clock
from authsvc.storage.migrations import newest_revision
from authsvc.wiring import build_services
from tests.fixtures.command import Finished, run_here
from tests.fixtures.database import execute, query
from tests.fixtures.installation import SECRET, Installation, Installer
from tests.fixtures.processes import free_port
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import PASSWORD, USERNAME
from tests.fixtures.stack import make_settings

REFUSED = "the service refuses to start like this"
MAKE_A_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
SUBJECTS = [
    "database",
    "clock",
    "connections",
    "signing keys",
    "secrets",
    "redis",
    "secret strength",
    "issuer",
    "proxies",
    "issuer URL",
]


@pytest.fixture(scope="module")
def healthy(installer: Installer) -> Iterator[Installation]:
    """A set-up with nothing wrong: both stores, and a server that answers at the issuer's URL."""
    port = free_port()
    with installer.installed("postgres", ISSUER=f"http://127.0.0.1:{port}") as made:
        made.start("serve", port=port).wait_until_serving()
        yield made


@pytest.fixture
def away(healthy: Installation) -> Installation:
    """The same before its first start: nothing answers at the issuer's URL."""
    return healthy.having(ISSUER=f"http://127.0.0.1:{free_port()}")


@pytest.fixture
def bare(installer: Installer) -> Iterator[Installation]:
    """A set-up with a Postgres and a Redis of its own, to be broken; nothing answers at the issuer's URL."""
    with installer.installed("postgres", ISSUER=f"http://127.0.0.1:{free_port()}") as made:
        yield made


@pytest.fixture(scope="module")
def own_redis() -> Iterator[RedisServer]:
    """A Redis whose configuration a test may change."""
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


def examined(installation: Installation, *options: str) -> list[dict[str, str]]:
    """The findings as a script reads them; the exit status is that of the worst."""
    # A port of its own: on the usual one another program of this machine may listen.
    done = installation.run("doctor", "--json", "--port", str(free_port()), *options)
    return findings_in(done)


def findings_in(done: Finished) -> list[dict[str, str]]:
    assert done.stderr == ""
    found: list[dict[str, str]] = json.loads(done.stdout)
    assert all(set(finding) == {"subject", "level", "what", "why", "cure"} for finding in found)
    assert done.status == int(any(finding["level"] == "problem" for finding in found))
    return found


def problems(found: list[dict[str, str]]) -> list[dict[str, str]]:
    """What is a problem, and each has all three parts."""
    worst = [finding for finding in found if finding["level"] == "problem"]
    assert all(finding["what"] and finding["why"] and finding["cure"] for finding in worst)
    return worst


def problem(subject: str, what: str, why: str, cure: str) -> dict[str, str]:
    return {"subject": subject, "level": "problem", "what": what, "why": why, "cure": cure}


def test_a_healthy_set_up_has_nothing_to_mend_and_exit_status_0(healthy: Installation) -> None:
    found = examined(healthy)

    assert [(finding["subject"], finding["level"]) for finding in found] == [
        (subject, "ok") for subject in SUBJECTS
    ]


def test_a_healthy_set_up_is_one_line_a_subject_for_people(healthy: Installation) -> None:
    lines = healthy.run("doctor", "--port", str(free_port())).text().splitlines()

    assert [line.split(": ")[0].split(maxsplit=1) for line in lines] == [
        ["ok", subject] for subject in SUBJECTS
    ]


def test_warnings_alone_are_exit_status_0(embedded: Installation) -> None:
    found = examined(embedded.having(ISSUER=f"http://127.0.0.1:{free_port()}"))

    warnings = {finding["subject"]: finding for finding in found if finding["level"] == "warning"}
    assert set(warnings) == {"redis", "issuer URL"}
    assert all(finding["why"] and finding["cure"] for finding in warnings.values())
    assert problems(found) == []


def test_no_settings_are_named_each_with_what_to_write() -> None:
    found = findings_in(run_here("doctor", "--json", settings={}))

    assert found == [
        problem(
            "settings",
            "AUTHSVC_DATABASE_URL is not set",
            REFUSED,
            "write postgresql://USER:PASSWORD@HOST:5432/DATABASE, or start `authsvc dev`, which needs none.",
        ),
        problem("settings", "AUTHSVC_SECRET_KEYS is not set", REFUSED, f"make one with: {MAKE_A_SECRET}."),
    ]


@pytest.mark.parametrize(
    ("name", "value", "what", "cure"),
    [
        pytest.param(
            "REDIS_URI",
            "redis://127.0.0.1",
            "AUTHSVC_REDIS_URI is no setting of authsvc",
            "Did you mean AUTHSVC_REDIS_URL?",
            id="a misspelt variable",
        ),
        pytest.param(
            "SECRET_KEYS",
            "hunter2",
            "AUTHSVC_SECRET_KEYS needs secrets of at least 32 characters",
            f"make one with: {MAKE_A_SECRET}.",
            id="a short secret",
        ),
        pytest.param(
            "DATABASE_URL",
            "postgresql://authsvc:hunter2@db:notaport/authsvc",
            "AUTHSVC_DATABASE_URL cannot be read as a URL",
            "write postgresql://USER:PASSWORD@HOST:5432/DATABASE, "
            "in USER and PASSWORD %40 for @, %3A for : and %2F for /",
            id="a URL that cannot be read",
        ),
        pytest.param(
            "HASH_PASSES",
            "many",
            "AUTHSVC_HASH_PASSES should be a valid integer, unable to parse string as an integer",
            ".env.example lists every setting, with what it may be",
            id="a word for a number",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_what_to_write(
    embedded: Installation, name: str, value: str, what: str, cure: str
) -> None:
    assert examined(embedded.having(**{name: value})) == [problem("settings", what, REFUSED, cure)]


def test_a_database_that_is_away_is_named_and_the_rest_is_still_looked_at(away: Installation) -> None:
    lost = away.having(DATABASE_URL=f"postgresql://authsvc:hunter2@127.0.0.1:{free_port()}/authsvc")

    found = examined(lost)

    [database] = problems(found)
    assert database["subject"] == "database"
    assert database["what"].startswith("AUTHSVC_DATABASE_URL: the database cannot be reached (")
    assert database["cure"] == ("Is it running, and are host, port, user, password and database name right?")
    assert [finding["subject"] for finding in found] == ["database", *SUBJECTS[5:]]


def test_a_database_behind_its_migrations_is_named_with_the_command(installer: Installer) -> None:
    with installer.installed("postgres", migrated=False) as behind:
        assert problems(examined(behind)) == [
            problem(
                "database",
                f"The database is at migration none and this version needs {newest_revision()}",
                REFUSED,
                "authsvc db upgrade",
            )
        ]


@pytest.mark.parametrize(
    "revision", ["2f6d1c0a9b3e", "0001"], ids=["with its own numbers", "with numbers like ours"]
)
def test_a_database_of_another_application_is_named(installer: Installer, revision: str) -> None:
    with installer.installed("postgres", migrated=False) as foreign:
        execute(
            foreign.database_url,
            "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
            f"INSERT INTO alembic_version VALUES ('{revision}')",  # noqa: S608 - a number of this file
        )

        assert problems(examined(foreign)) == [
            problem(
                "database",
                f"The database is at migration {revision} of a newer authsvc, or of another application",
                REFUSED,
                "Install that version, or name another database.",
            )
        ]


def test_a_role_without_rights_on_the_tables_is_a_sentence_too(bare: Installation) -> None:
    execute(
        bare.database_url,
        "CREATE ROLE doctors_stranger LOGIN",
        "GRANT SELECT ON alembic_version TO doctors_stranger",
    )
    try:
        host = bare.database_url.rpartition("@")[2]
        found = examined(bare.having(DATABASE_URL=f"postgresql://doctors_stranger@{host}"))

        [database] = problems(found)
        assert database["subject"] == "database"
        assert "permission denied" in database["what"]
        assert "it must get in, and may read and write the tables" in database["cure"]
    finally:
        execute(bare.database_url, "DROP OWNED BY doctors_stranger", "DROP ROLE doctors_stranger")


def test_the_database_of_dev_is_named_because_its_password_is_published(embedded: Installation) -> None:
    data = embedded.folder / "data"
    dev = embedded.having(DATABASE_URL="", REDIS_URL="", SECRET_KEYS="", DATA_DIR=str(data))
    dev.run("dev", "--port", str(free_port())).text()
    secret = (data / "secret").read_text()

    demo = embedded.having(DATABASE_URL=f"sqlite+aiosqlite:///{data}/authsvc.db", SECRET_KEYS=secret)

    [database] = problems(examined(demo))
    assert (database["subject"], database["cure"]) == (
        "database",
        "Name another database for `authsvc serve`.",
    )


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_redis_that_evicts_is_named_with_the_command_that_mends_it(
    away: Installation, own_redis: RedisServer, policy: str
) -> None:
    evicting = away.having(REDIS_URL=own_redis.url())
    with Redis.from_url(own_redis.url()) as client:
        client.config_set("maxmemory-policy", policy)
        try:
            found = examined(evicting)
        finally:
            client.config_set("maxmemory-policy", "noeviction")

    assert problems(found) == [
        problem(
            "redis",
            f"AUTHSVC_REDIS_URL: this Redis evicts keys (maxmemory-policy {policy}), so it could forget "
            "that a token was revoked",
            REFUSED,
            "Set it with: redis-cli CONFIG SET maxmemory-policy noeviction (and in redis.conf), "
            "or name another Redis.",
        )
    ]
    # Said once, and of all else as in any other set-up.
    assert [finding["subject"] for finding in found] == SUBJECTS
    assert problems(examined(evicting)) == []


def test_a_redis_that_evicts_is_named_though_the_database_is_away(
    away: Installation, own_redis: RedisServer
) -> None:
    lost = away.having(
        DATABASE_URL=f"postgresql://authsvc@127.0.0.1:{free_port()}/authsvc", REDIS_URL=own_redis.url()
    )
    with Redis.from_url(own_redis.url()) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            found = examined(lost)
        finally:
            client.config_set("maxmemory-policy", "noeviction")

    assert [finding["subject"] for finding in problems(found)] == ["database", "redis"]


def test_a_redis_that_is_away_is_named_with_the_command_that_shows_it(away: Installation) -> None:
    found = examined(away.having(REDIS_URL=f"redis://:hunter2@127.0.0.1:{free_port()}/0"))

    assert problems(found) == [
        problem(
            "redis",
            "configured, and it does not answer",
            "checks fall back to the database: right, and slower",
            "redis-cli -u $AUTHSVC_REDIS_URL ping",
        )
    ]


def test_a_redis_that_refuses_the_password_is_named_with_what_to_write(
    away: Installation, own_redis: RedisServer
) -> None:
    with Redis.from_url(own_redis.url()) as client:
        client.config_set("requirepass", "hunter2")
        try:
            found = examined(away.having(REDIS_URL=own_redis.url().replace("://", "://:wrong-hunter@")))
        finally:
            client.config_set("requirepass", "")

    [redis] = problems(found)
    assert redis["what"].startswith("AUTHSVC_REDIS_URL: Redis refuses the password (")
    assert redis["cure"] == "Write the right one into it: redis://USER:PASSWORD@HOST:6379/0"


def test_a_database_whose_clock_is_an_hour_off_is_named(bare: Installation) -> None:
    name = bare.database_url.rpartition("/")[2]
    # Its clock cannot be set here; so that it tells another time, a function goes before the built-in one.
    execute(
        bare.database_url,
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql "
        "AS $$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$",
        f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog',
    )

    assert problems(examined(bare)) == [
        problem(
            "clock",
            "this host's clock is 3600 s behind the database's",
            "the service goes by the database's; if that is wrong, others reject or overtrust tokens",
            "timedatectl set-ntp true  (or start chrony), on the host that is wrong",
        )
    ]


def skewed(**span: float) -> Clock:
    return lambda: datetime.now(UTC) + timedelta(**span)


@pytest.mark.parametrize(
    ("clock", "level", "what"),
    [
        pytest.param(
            skewed(hours=1), "problem", "clock is 3600 s ahead of the database's", id="an hour ahead"
        ),
        pytest.param(
            skewed(hours=-1), "problem", "clock is 3600 s behind the database's", id="an hour behind"
        ),
        pytest.param(skewed(seconds=-5), "problem", "clock is 5 s behind", id="five seconds behind"),
        pytest.param(skewed(milliseconds=-500), "ok", "s from the database's", id="half a second behind"),
    ],
)
async def test_a_clock_that_is_off_is_told_in_seconds_and_direction(
    away: Installation, clock: Clock, level: str, what: str
) -> None:
    [found] = [finding for finding in await examined_with(clock, away) if finding.subject == "clock"]

    assert found.level == level
    assert what in found.what


async def examined_with(clock: Clock, installation: Installation) -> list[Finding]:
    """The findings of a host that has this clock."""
    settings = make_settings(
        installation.database_url.replace("postgresql://", "postgresql+asyncpg://"),
        installation.settings["AUTHSVC_REDIS_URL"],
        secret_keys=(SecretStr(SECRET),),
        issuer=installation.settings["AUTHSVC_ISSUER"],
    )
    services = build_services(settings, clock=clock)
    try:
        around = Surroundings("127.0.0.1", 8000, 1)
        return [finding async for finding in examine(settings, services, around)]
    finally:
        services.hasher.close()
        await services.stores.close()


@pytest.mark.parametrize("secret", ["x" * 64, "abc" * 20, "12345678901" * 4])
def test_a_secret_that_repeats_a_few_characters_is_named_and_never_shown(
    away: Installation, secret: str
) -> None:
    done = away.having(SECRET_KEYS=f"{SECRET},{secret}").run("doctor", "--json")

    assert problems(findings_in(done)) == [
        problem(
            "secret strength",
            "a secret repeats a few characters",
            "with it and a copy of the database anyone can mint refresh tokens",
            MAKE_A_SECRET,
        )
    ]
    assert secret not in done.stdout


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - what the doctor is asked about
def test_a_loopback_issuer_with_a_public_host_is_named(healthy: Installation, host: str) -> None:
    issuer = healthy.settings["AUTHSVC_ISSUER"]

    assert problems(examined(healthy, "--host", host)) == [
        problem(
            "issuer",
            f"{issuer} is loopback, and the service is to listen at {host}",
            "tokens and metadata name an address that nobody else can reach",
            "AUTHSVC_ISSUER=https://auth.example.com",
        )
    ]


def test_an_address_of_another_machine_is_named(away: Installation) -> None:
    port = free_port()

    found = problems(examined(away, "--host", "192.0.2.7", "--port", str(port)))

    assert [finding for finding in found if finding["subject"] == "address"] == [
        problem(
            "address",
            f"192.0.2.7:{port} cannot be used (Cannot assign requested address)",
            REFUSED,
            "choose others with --host and --port.",
        )
    ]


def test_a_port_that_another_program_has_is_named_with_another_port(away: Installation) -> None:
    with listening(metadata_of("https://login.example.org")) as url:
        port = int(url.rpartition(":")[2])

        assert problems(examined(away, "--port", str(port))) == [
            problem(
                "address",
                f"127.0.0.1:{port} is taken by another program",
                REFUSED,
                f"Choose another: --port {port + 1}",
            )
        ]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_the_service_itself_has_is_no_problem(healthy: Installation, host: str) -> None:
    port = healthy.settings["AUTHSVC_ISSUER"].rpartition(":")[2]

    assert problems(examined(healthy, "--host", host, "--port", port)) == []


def test_an_https_issuer_without_a_named_proxy_is_a_warning_that_says_which(away: Installation) -> None:
    behind = away.having(ISSUER="https://auth.example.invalid")

    for host, proxy in [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("192.0.2.7", "10.0.0.0/8")]:
        found = {finding["subject"]: finding for finding in examined(behind, "--host", host)}
        assert (found["proxies"]["level"], found["proxies"]["cure"]) == (
            "warning",
            f"AUTHSVC_TRUSTED_PROXIES={proxy}",
        )
        # What it says to type is taken.
        mended = examined(behind.having(TRUSTED_PROXIES=proxy), "--host", host)
        assert [f["level"] for f in mended if f["subject"] == "proxies"] == ["ok"]


def test_another_authsvc_at_the_issuers_url_is_named(healthy: Installation) -> None:
    url = healthy.settings["AUTHSVC_ISSUER"]
    named = healthy.having(ISSUER=url.replace("127.0.0.1", "localhost"))

    assert problems(examined(named)) == [
        problem(
            "issuer URL",
            f"{named.settings['AUTHSVC_ISSUER']}/.well-known/oauth-authorization-server "
            f"says that the issuer is {url}",
            "clients compare the two and refuse",
            f"AUTHSVC_ISSUER={url}  (or point that name at this service)",
        )
    ]


Answer = Callable[[str, str | None], httpx.Response]


@contextmanager
def listening(answer: Answer) -> Iterator[str]:
    """An HTTP server on loopback that answers as told, given a path and the Authorization header."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            response = answer(self.path, self.headers.get("Authorization"))
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it is called by
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def metadata_of(issuer: object) -> Answer:
    """A server that tells this issuer, and refuses every token as it should."""
    return lambda path, _: (
        httpx.Response(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if path == "/verify"
        else httpx.Response(200, json={"issuer": issuer})
    )


def test_a_wrong_issuer_behind_the_issuers_url_is_named_with_the_line_to_write(away: Installation) -> None:
    with listening(metadata_of("https://login.example.org/realms/a")) as url:
        assert problems(examined(away.having(ISSUER=url))) == [
            problem(
                "issuer URL",
                f"{url}/.well-known/oauth-authorization-server "
                "says that the issuer is https://login.example.org/realms/a",
                "clients compare the two and refuse",
                "AUTHSVC_ISSUER=https://login.example.org/realms/a  (or point that name at this service)",
            )
        ]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda *_: httpx.Response(200, text="<html>Welcome!</html>"), id="a page"),
        pytest.param(lambda *_: httpx.Response(404, json={"detail": "Not Found"}), id="another's JSON"),
        pytest.param(lambda *_: httpx.Response(200, json=["issuer"]), id="a list"),
        pytest.param(lambda *_: httpx.Response(200, content=b'{"issuer": "\xff"}'), id="no UTF-8"),
        pytest.param(metadata_of(None), id="no issuer"),
        pytest.param(metadata_of("a\nok      redis: reachable"), id="an issuer that would forge a line"),
        pytest.param(metadata_of("a\x1b[2J"), id="an issuer that would clear the screen"),
    ],
)
def test_a_stranger_at_the_issuers_url_is_a_warning(away: Installation, answer: Answer) -> None:
    with listening(answer) as url:
        strange = away.having(ISSUER=url)

        [warning] = [finding for finding in examined(strange) if finding["level"] == "warning"]
        assert warning["what"].startswith(f"{url}/.well-known/oauth-authorization-server gives no metadata")
        assert warning["cure"] == f"curl -i {url}/.well-known/oauth-authorization-server"
        assert len(strange.run("doctor", "--port", str(free_port())).text().splitlines()) == len(SUBJECTS)


@pytest.mark.parametrize("issuer", ["https://a b", "https://auth..example.com", "https://*.example.com"])
def test_an_issuer_that_no_request_can_be_sent_to_is_a_warning(away: Installation, issuer: str) -> None:
    found = examined(away.having(ISSUER=issuer))

    assert [f["level"] for f in found if f["subject"] == "issuer URL"] == ["warning"]


@contextmanager
def proxy_to(upstream: str, *, passes_authorization: bool) -> Iterator[str]:
    """A proxy in front of a server that takes the proxy's URL for its own."""
    urls: list[str] = []

    def answer(path: str, authorization: str | None) -> httpx.Response:
        passed = {"Authorization": authorization} if authorization and passes_authorization else {}
        got = httpx.get(upstream + path, headers=passed, trust_env=False)
        kept = {name: value for name, value in got.headers.items() if name == "www-authenticate"}
        return httpx.Response(got.status_code, headers=kept, text=got.text.replace(upstream, urls[0]))

    with listening(answer) as url:
        urls.append(url)
        yield url


@pytest.mark.parametrize("passes", [True, False], ids=["passed on", "stripped"])
def test_a_proxy_that_strips_authorization_is_named_with_the_line_for_it(
    healthy: Installation, passes: bool
) -> None:
    with proxy_to(healthy.settings["AUTHSVC_ISSUER"], passes_authorization=passes) as url:
        found = examined(healthy.having(ISSUER=url))

    stripped = problem(
        "issuer URL",
        "the Authorization header does not arrive",
        "no access token gets through the proxy",
        "let the proxy pass it on: proxy_set_header Authorization $http_authorization;",
    )
    assert problems(found) == ([] if passes else [stripped])


def test_a_proxy_for_the_way_out_is_not_asked_for_a_loopback_issuer(healthy: Installation) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    ways_out = {"http_proxy": nowhere, "HTTP_PROXY": nowhere, "no_proxy": "", "NO_PROXY": ""}
    with patch.dict("os.environ", ways_out):
        assert problems(examined(healthy)) == []


def test_workers_that_want_more_connections_than_there_are_get_a_number_that_fits(away: Installation) -> None:
    [connections] = problems(examined(away.having(DATABASE_POOL_SIZE="20"), "--workers", "8"))

    assert connections["subject"] == "connections"
    assert connections["what"].startswith("8 workers with 29 connections each want 232, and Postgres has ")
    assert connections["why"] == "under load logins and refreshes are answered 503"
    setting, _, size = connections["cure"].split()[0].partition("=")
    assert setting == "AUTHSVC_DATABASE_POOL_SIZE"
    # What it says to type is enough.
    assert problems(examined(away.having(DATABASE_POOL_SIZE=size), "--workers", "8")) == []


def test_several_workers_on_an_embedded_database_are_named(embedded: Installation) -> None:
    found = examined(embedded, "--workers", "2")

    assert problems(found) == [
        problem(
            "connections",
            "a SQLite database serves one process, not 2 workers",
            REFUSED,
            "AUTHSVC_DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/DATABASE  (or --workers 1)",
        )
    ]


def log_in(installation: Installation) -> None:
    """Open a session, by a server that is stopped again."""
    installation.add_account()
    server = installation.start("serve").wait_until_serving()
    form = {"username": USERNAME, "password": PASSWORD}
    assert server.http.post("/login", data=form).status_code == 200
    assert server.stop() == 0


def test_sessions_minted_by_a_removed_secret_are_counted(bare: Installation) -> None:
    new = "another secret of installations under test"
    log_in(bare)

    appended = bare.having(SECRET_KEYS=f"{new},{SECRET}")
    appended.run("keys", "reencrypt").text()
    removed = bare.having(SECRET_KEYS=new)

    [secrets] = [finding for finding in examined(appended) if finding["subject"] == "secrets"]
    assert (secrets["level"], secrets["what"]) == (
        "ok",
        "2 configured, every open session's among them; 1 open sessions still need an older one",
    )
    assert problems(examined(removed)) == [
        problem(
            "secrets",
            "1 open sessions have refresh tokens of a secret that is not configured",
            "those users must log in again",
            "append the removed secret to AUTHSVC_SECRET_KEYS until they have refreshed",
        )
    ]


def test_a_secret_that_decrypts_no_signing_key_is_named(installation: Installation) -> None:
    installation.run("keys", "list").text()

    stranger = installation.having(SECRET_KEYS="another secret of installations under test")

    assert problems(examined(stranger)) == [
        problem(
            "signing keys",
            "no configured secret decrypts those in the database",
            REFUSED,
            "append the secret that it ran with before to AUTHSVC_SECRET_KEYS; then: authsvc keys reencrypt",
        )
    ]


def test_before_a_first_start_nothing_is_a_problem_and_the_doctor_makes_nothing(bare: Installation) -> None:
    assert problems(examined(bare)) == []

    assert query(bare.database_url, "SELECT count(*) FROM signing_key") == [(0,)]


def test_everything_broken_at_once_is_a_line_each_without_a_secret_or_a_password(
    away: Installation, tmp_path: Path
) -> None:
    broken = away.having(
        DATABASE_URL=f"postgresql://authsvc:hunter2@127.0.0.1:{free_port()}/authsvc",
        REDIS_URL=f"redis://somebody:hunter2@127.0.0.1:{free_port()}/0",
        SECRET_KEYS="ab" * 20,
    )

    everywhere = ["--host", "0.0.0.0", "--port", str(free_port())]  # noqa: S104 - what the doctor is asked about
    done = Installation(broken.settings, tmp_path).run_program("doctor", *everywhere)

    assert done.status == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    named = [line.removeprefix("PROBLEM ").split(": ")[0] for line in lines if line.startswith("PROBLEM ")]
    assert named == ["database", "redis", "secret strength", "issuer"]
    assert all(line.count(" - ") == 2 and " - type: " in line for line in lines if not line.startswith("ok "))
    assert "hunter2" not in done.stdout
    assert "ab" * 20 not in done.stdout
    assert "Traceback" not in done.stdout
