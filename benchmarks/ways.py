"""The three ways in which a service can check an access token, each with an authsvc and a consumer of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from benchmarks import cores
from benchmarks.measured import CALLER_SECRET, Measured
from benchmarks.minting import ROOT
from benchmarks.side import HERE
from benchmarks.world import World

LOCAL, JWT, OPAQUE = "JWT, checked with the keys", "JWT, introspected", "opaque, introspected"
NAMES = (LOCAL, JWT, OPAQUE)


@dataclass(frozen=True)
class Checks:
    """What a consumer saw: latencies and CPU in seconds, bytes on the wire of one check."""

    outcomes: dict[str, int]
    checks: int
    p50: float
    p99: float
    longest: float
    cpu: float
    wire: float


class Way:
    """A consumer, and the service that its tokens are from."""

    def __init__(self, service: Measured, *, asks: bool) -> None:
        self.service = service
        self.asks = asks
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.consumer"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self._process.pid, [cores.OTHERS])
        issuer = "http://127.0.0.1:8000"
        client_id = service.caller_id
        how = (
            {"by": "asking", "client_id": client_id, "secret": CALLER_SECRET}
            if asks
            else {"by": "keys", "issuer": issuer}
        )
        self._tell(how | {"url": service.server.url})

    def check(self, token: str, seconds: float) -> Checks:
        """Check *token* over and over for *seconds*, at least once."""
        self._tell({"token": token, "seconds": seconds})
        return Checks(**self._hear())

    def seconds_until_seen(self) -> float:
        """Log in and out; return how long after the 204 the consumer still takes the token for live."""
        http = self.service.server.http
        token = self.service.log_in()["access_token"]
        self._tell({"token": token})
        http.post("/logout", headers={"Authorization": f"Bearer {token}"}).raise_for_status()
        ended_at = perf_counter()
        return max(0.0, float(self._hear()) - ended_at)

    def close(self) -> None:
        """End the consumer."""
        self._process.communicate()

    def _tell(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> Any:  # noqa: ANN401 - JSON of an answer
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def open_ways(world: World, **settings: str) -> Iterator[dict[str, Way]]:
    """Start both services and the three consumers for the length of the block."""
    with ExitStack() as opened:
        jwt = opened.enter_context(world.serving(HERE, "jwt", **settings))
        opaque = opened.enter_context(world.serving(HERE, "opaque", **settings))
        ways = {LOCAL: Way(jwt, asks=False), JWT: Way(jwt, asks=True), OPAQUE: Way(opaque, asks=True)}
        for way in ways.values():
            opened.callback(way.close)
        yield ways
