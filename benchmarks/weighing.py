"""A load together with the CPU time that answering it has used."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import cores
from benchmarks.loading import Load, Requests
from benchmarks.measured import Measured
from benchmarks.world import Echo, World

CONNECTIONS = 32


@dataclass(frozen=True)
class Weighed:
    """What the load saw; the user and system time for each answer, in µs, of all who answered, and of one."""

    load: Load
    cpu: float
    own_cpu: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.load.rate


@dataclass(frozen=True)
class Scale:
    """Weighs the service and the references in one world, always by the same client."""

    world: World
    seconds: float

    def service(
        self, name: str, service: Measured, requests: Requests, *, connections: int = CONNECTIONS
    ) -> Weighed:
        """Load the service; its stores are weighed with it."""
        pids = (service.pid, *self.world.store_pids)
        return self._weigh(name, service.port, pids, requests, connections)

    def echo(self, echo: Echo, requests: Requests, *, connections: int = CONNECTIONS) -> Weighed:
        """Load the bare application."""
        return self._weigh("echo", echo.port, (echo.pid,), requests, connections)

    def _weigh(
        self, name: str, port: int, pids: Sequence[int], requests: Requests, connections: int
    ) -> Weighed:
        own, all_of_them = cores.cpu_seconds(pids[0]), cores.cpu_seconds(*pids)
        load = self.world.loader.run(port, requests, connections=connections, seconds=self.seconds)
        load.check(name)
        each = 1e6 / load.answers
        return Weighed(
            load,
            cpu=(cores.cpu_seconds(*pids) - all_of_them) * each,
            own_cpu=(cores.cpu_seconds(pids[0]) - own) * each,
        )
