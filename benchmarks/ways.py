"""The three ways in which a service can check an access token, each with a consumer of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import perf_counter

from benchmarks import cores
from benchmarks.measured import CALLER_SECRET, Measured
from benchmarks.program import Program
from benchmarks.side import HERE
from benchmarks.world import LONG_LIFE, World

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
        self._program = Program("benchmarks.consumer", on=[cores.OTHERS])
        issuer = "http://127.0.0.1:8000"
        how = (
            {"by": "asking", "client_id": service.caller_id, "secret": CALLER_SECRET}
            if asks
            else {"by": "keys", "issuer": issuer}
        )
        self._program.tell(how | {"url": service.server.url})

    def check(self, token: str, seconds: float) -> Checks:
        """Check *token* over and over for *seconds*, at least once."""
        return Checks(**self._program.ask({"token": token, "seconds": seconds}))

    def seconds_until_seen(self) -> float:
        """Log in and out; return how long after the 204 the consumer still takes the token for live."""
        http = self.service.server.http
        token = self.service.log_in()["access_token"]
        self._program.tell({"token": token})
        http.post("/logout", headers={"Authorization": f"Bearer {token}"}).raise_for_status()
        ended_at = perf_counter()
        return max(0.0, float(self._program.hear()) - ended_at)

    def close(self) -> None:
        """End the consumer."""
        self._program.close()


@contextmanager
def open_ways(world: World, *, life: str = LONG_LIFE) -> Iterator[dict[str, Way]]:
    """Start both services and the three consumers for the length of the block."""
    with ExitStack() as opened:
        jwt = opened.enter_context(world.serving(HERE, "jwt", life=life))
        opaque = opened.enter_context(world.serving(HERE, "opaque", life=life))
        ways = {LOCAL: Way(jwt, asks=False), JWT: Way(jwt, asks=True), OPAQUE: Way(opaque, asks=True)}
        for way in ways.values():
            opened.callback(way.close)
        yield ways
