"""A real server over a real Postgres and a real Redis, with an account, a caller and a session."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.fixtures.installation import SECRET, Installation
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.process import ServerProcess
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import PASSWORD, USERNAME


@dataclass(frozen=True)
class Stage:
    """What a measurement needs to know."""

    server: ServerProcess
    client_id: str
    client_secret: str
    access_token: str


@contextmanager
def open_stage(token_format: str) -> Iterator[Stage]:
    """Set it up for the length of the block; everything but the token format and its life is a default."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="authsvc-benchmark-")))
        postgres, redis = PostgresServer(), RedisServer()
        for store in (postgres, redis):
            opened.callback(store.close)
            store.start()
        postgres.create_database("authsvc")
        settings = {
            "AUTHSVC_DATABASE_URL": postgres.url("authsvc"),
            "AUTHSVC_REDIS_URL": redis.url(),
            "AUTHSVC_SECRET_KEYS": SECRET,
            "AUTHSVC_TOKEN_FORMAT": token_format,
            "AUTHSVC_ACCESS_TOKEN_SECONDS": "3600",
        }
        installation = Installation(settings, folder)
        installation.run("db", "upgrade").text()
        installation.add_account()
        caller = installation.add_client("--confidential", "--introspect")
        opened.callback(installation.stop)
        server = installation.start("serve").wait_until_serving()
        login = {"username": USERNAME, "password": PASSWORD}
        tokens = httpx.post(f"{server.url}/login", data=login, trust_env=False).raise_for_status().json()
        yield Stage(server, caller["client_id"], caller["client_secret"], tokens["access_token"])
