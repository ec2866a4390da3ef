"""How long a start takes until the first 200, against an empty FastAPI application; and the memory held."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks import cores
from benchmarks.introspecting import MANY_OF_ONE
from benchmarks.loading import Requests
from benchmarks.measured import ACTIVE, Measured
from benchmarks.refreshing import CHAINS, chains
from benchmarks.side import ROOT, Side
from benchmarks.work import Figures, Length, Line, Sampler, Work, at_most
from benchmarks.world import World
from tests.fixtures.command import environment
from tests.fixtures.processes import free_port

_LIMIT_SECONDS = 60


@contextmanager
def _start(world: World, side: Side, length: Length) -> Iterator[Sampler]:  # noqa: ARG001 - a start takes what it takes
    settings = world.new_stores(side, "jwt")
    seconds_to_first_200(_SERVE, settings)  # the first start of all makes the keys and the compiled files
    seconds_to_first_200(_EMPTY, settings)

    def sample() -> Figures:
        empty, service = seconds_to_first_200(_EMPTY, settings), seconds_to_first_200(_SERVE, settings)
        return {"start / empty": service / empty, "start: s": service, "empty: s": empty}

    yield sample


_SERVE = ("authsvc", "serve", "--port")
_EMPTY = ("benchmarks.empty",)


def seconds_to_first_200(module: tuple[str, ...], settings: Mapping[str, str]) -> float:
    """Start a server where the service runs, ask until it answers 200, end it."""
    port = free_port()
    command = ["taskset", "--cpu-list", str(cores.SERVICE), sys.executable, "-m", *module, str(port)]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment(settings), stderr=subprocess.DEVNULL)
    try:
        while not _says_200(port):
            if process.poll() is not None or time.perf_counter() > began + _LIMIT_SECONDS:
                raise AssertionError(f"{module[0]} does not serve.")
            time.sleep(0.002)
        return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def _says_200(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def _memory(world: World, side: Side, length: Length) -> Iterator[Sampler]:
    with world.serving(side, "jwt") as jwt, world.serving(side, "opaque") as opaque:

        def sample() -> Figures:
            figures: Figures = {}
            for name, service in (("jwt", jwt), ("opaque", opaque)):
                figures[f"{name}: MiB idle"] = cores.resident_mib(service.pid)
                for connections, requests in _everything(world, service, length):
                    world.loader.run(
                        service.port, requests, connections=connections, seconds=3 * length.seconds
                    ).check("load")
                figures[f"{name}: MiB after the load"] = cores.resident_mib(service.pid)
            return figures

        yield sample


def _everything(world: World, service: Measured, length: Length) -> Iterator[tuple[int, Requests]]:
    """Yield every kind of load with the number of its connections."""
    questions = [
        service.introspection(token) for token in service.tokens(length.tokens, per_session=MANY_OF_ONE)
    ]
    yield 32, world.loader.write(questions, expected=ACTIVE)
    yield 8, world.loader.write(service.logins(), expected='"access_token":"')
    yield CHAINS, chains(world, service)


WORKS = (
    Work(
        "start",
        _start,
        (
            Line(
                "start / empty", "start to the first 200", "time / an empty FastAPI application's", at_most(2)
            ),
        ),
        seconds=lambda _: 3,
    ),
    Work(
        "memory",
        _memory,
        tuple(
            Line(f"{name}: MiB {when}", f"resident memory ({name})", f"MiB {when}", at_most(bound), peers)
            for name in ("jwt", "opaque")
            for when, bound, peers in (("idle", 110, "95 to 106"), ("after the load", 150, "200"))
        ),
        seconds=lambda length: 2 * (9 * length.seconds + 15),
        is_once=True,
    ),
)
