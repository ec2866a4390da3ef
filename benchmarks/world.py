"""What is measured: Postgres, Redis and the service as an operator runs them, and the echo beside them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
from redis import Redis

from benchmarks import cores
from benchmarks.loading import Loader
from benchmarks.measured import CALLER_SECRET, Measured
from benchmarks.minting import Minting
from benchmarks.side import ROOT, Side
from tests.fixtures.command import run_program
from tests.fixtures.installation import SECRET
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.process import ON_A_LEASH, ServerProcess
from tests.fixtures.processes import free_port
from tests.fixtures.redis import RedisServer

LONG_LIFE = "86400"
_REDIS_DATABASES = 16


@dataclass
class World:
    """The stores on their core, durable as an operator's; the load; and services as they are asked for."""

    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    loader: Loader
    _numbers: "count[int]" = field(default_factory=count)
    _templates: dict[str, str] = field(default_factory=dict)

    @property
    def store_pids(self) -> tuple[int, int]:
        """Postgres and Redis."""
        return self.postgres.pid, self.redis.pid

    @contextmanager
    def serving(
        self, side: Side, token_format: str, *, on: Sequence[int] = (cores.SERVICE,), life: str = LONG_LIFE
    ) -> Iterator[Measured]:
        """Run one service, with stores of its own, on these cores.

        All is as by default, but for the *life* of an access token, in seconds: those of the beginning must
        still live at the end.
        """
        with ExitStack() as opened:
            stated = self.new_stores(side, token_format) | {"AUTHSVC_ACCESS_TOKEN_SECONDS": life}
            minting = Minting(stated)
            opened.callback(minting.close)
            server = start(stated, self.folder, on)
            opened.callback(server.stop)
            server.wait_until_serving()
            yield Measured(stated, server, minting, minting.add_caller(CALLER_SECRET))

    def new_stores(self, side: Side, token_format: str) -> dict[str, str]:
        """Return the settings of a service of *side* over empty stores."""
        number = next(self._numbers)
        database = f"{token_format}_{number}"
        self.postgres.create_database(database, self._template(side))
        with Redis.from_url(self.redis.url(number % _REDIS_DATABASES)) as client:
            client.flushdb()
        return self._settings(side, database) | {
            "AUTHSVC_REDIS_URL": self.redis.url(number % _REDIS_DATABASES),
            "AUTHSVC_TOKEN_FORMAT": token_format,
        }

    def _template(self, side: Side) -> str:
        """Return the name of a database that was migrated once, to be copied."""
        if side.name not in self._templates:
            name = f"template_{len(self._templates)}"
            self.postgres.create_database(name)
            run_program("db", "upgrade", settings=self._settings(side, name), folder=self.folder).text()
            self._templates[side.name] = name
        return self._templates[side.name]

    def _settings(self, side: Side, database: str) -> dict[str, str]:
        return {
            "PYTHONPATH": str(side.source),
            "AUTHSVC_DATABASE_URL": self.postgres.url(database),
            "AUTHSVC_SECRET_KEYS": SECRET,
            # An installed service has compiled files; a developer's variable would leave this one without.
            "PYTHONDONTWRITEBYTECODE": "",
        }


def start(settings: dict[str, str], folder: Path, on: Sequence[int]) -> ServerProcess:
    """Start a server on these cores, and do not wait for it."""
    through = ["taskset", "--cpu-list", ",".join(map(str, on))]
    return ServerProcess("serve", settings=settings, folder=folder, through=through)


@contextmanager
def open_world() -> Iterator[World]:
    """Start the stores and the load for the length of the block."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="authsvc-bench-")))
        postgres, redis = PostgresServer(is_durable=True), RedisServer()
        for server in (postgres, redis):
            opened.callback(server.close)
            server.start()
            cores.pin(server.pid, [cores.OTHERS])
        loader = Loader(folder)
        opened.callback(loader.close)
        yield World(folder, postgres, redis, loader)


@dataclass(frozen=True)
class Echo:
    """The bare application that gives one answer to everything."""

    port: int
    pid: int


@contextmanager
def echoing(answer: httpx.Response, *, on: Sequence[int] = (cores.SERVICE,)) -> Iterator[Echo]:
    """Run it where the service runs, with the headers and the body of *answer*."""
    port = free_port()
    # The server below both writes the date itself.
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "date"]
    told = {"headers": headers, "body": answer.text}
    command = [
        *(sys.executable, "-I", "-S", "-c", ON_A_LEASH),
        "taskset",
        "--cpu-list",
        ",".join(map(str, on)),
        sys.executable,
        "-m",
        "benchmarks.echo",
        str(port),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(told))
        process.stdin.close()
        _wait_for(port)
        yield Echo(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    transport = httpx.HTTPTransport(retries=20)
    with httpx.Client(transport=transport, trust_env=False) as http:
        http.get(f"http://127.0.0.1:{port}/").raise_for_status()
