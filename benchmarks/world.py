"""What is measured: Postgres, Redis and the service as an operator runs them, and the references beside them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks import cores
from benchmarks.loading import Loader
from tests.fixtures.installation import SECRET, Installation
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.process import ServerProcess
from tests.fixtures.processes import free_port
from tests.fixtures.redis import RedisServer

ACCOUNTS = tuple(f"user{number}@example.com" for number in range(100))
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class World:
    """The stores, and one service of each format over databases of their own."""

    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    services: dict[str, "Measured"]
    loader: Loader

    @property
    def store_pids(self) -> tuple[int, int]:
        """Postgres and Redis."""
        return self.postgres.pid, self.redis.pid


@dataclass(frozen=True)
class Measured:
    """One service under measurement, its settings, and a client that may introspect every token."""

    installation: Installation
    server: ServerProcess
    caller: httpx.BasicAuth

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port


@contextmanager
def open_world(**settings: str) -> Iterator[World]:
    """Start everything for the length of the block; *settings* are named without their prefix."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="authsvc-bench-")))
        postgres, redis = PostgresServer(is_durable=True), RedisServer()
        for server in (postgres, redis):
            opened.callback(server.close)
            server.start()
            cores.pin(server.pid, [cores.OTHERS])
        services = {}
        for number, token_format in enumerate(("jwt", "opaque")):
            postgres.create_database(token_format)
            place = folder / token_format
            place.mkdir()
            stated = {
                "AUTHSVC_DATABASE_URL": postgres.url(token_format),
                "AUTHSVC_REDIS_URL": redis.url(number),
                "AUTHSVC_SECRET_KEYS": SECRET,
                "AUTHSVC_TOKEN_FORMAT": token_format,
                "AUTHSVC_ACCESS_TOKEN_SECONDS": "86400",
            }
            installation = Installation(stated, place).having(**settings)
            installation.run("db", "upgrade").text()
            caller = installation.add_caller()
            server = ServerProcess(
                "serve",
                settings=installation.settings,
                folder=place,
                through=["taskset", "--cpu-list", str(cores.SERVICE)],
            )
            opened.callback(server.stop)
            services[token_format] = Measured(installation, server.wait_until_serving(), caller)
        loader = Loader(folder)
        opened.callback(loader.close)
        yield World(folder, postgres, redis, services, loader)


@contextmanager
def echoing(answer: httpx.Response) -> Iterator[tuple[int, int]]:
    """Run the bare application that gives *answer* to everything; yield its port and process id."""
    port = free_port()
    told = {"headers": list(answer.headers.items()), "body": answer.text}
    command = [
        "taskset",
        "--cpu-list",
        str(cores.SERVICE),
        sys.executable,
        "-m",
        "benchmarks.echo",
        str(port),
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(told))
        process.stdin.close()
        _wait_for(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    transport = httpx.HTTPTransport(retries=20)
    with httpx.Client(transport=transport, trust_env=False) as http:
        http.get(f"http://127.0.0.1:{port}/").raise_for_status()
