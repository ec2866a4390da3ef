"""One instance of the service as an operator runs it: on its own port, its settings changed by a deploy."""

import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.wire_process import WireProcess
from tests.fixtures.installation import Installation
from tests.fixtures.process import ServerProcess
from tests.fixtures.processes import free_port

CLOCK_SOURCE = Path(__file__).with_name("host_clock.c")

# Longer than any pause in which an instance does not load what another has on another node.
READY_SECONDS = 45


class NoCompiler(Exception):
    """A host's clock cannot be put wrong here."""


@dataclass
class Instance:
    """`authsvc serve`, started and ended at will; its Redis is behind a wire of its own."""

    name: str
    installation: Installation
    redis: WireProcess
    port: int = field(default_factory=free_port)
    process: ServerProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, clock_off_by: int = 0) -> None:
        """Start it, not waiting until it serves."""
        settings = self.installation.settings
        if clock_off_by:
            clock = compiled_clock(self.installation.folder)
            settings = settings | {"LD_PRELOAD": str(clock), "SKEW_SECONDS": str(clock_off_by)}
        self.process = ServerProcess(
            "serve", settings=settings, folder=self.installation.folder, port=self.port
        )

    def wait(self) -> None:
        """Return as soon as it serves."""
        self._running().wait_until_serving()

    def readiness(self) -> str:
        """Return what it says of itself and its stores, in one word."""
        return str(self._readiness()["status"])

    def _readiness(self) -> dict[str, object]:
        told: dict[str, object] = self._running().http.get("/readyz").json()
        return told

    def wait_until_ready(self) -> None:
        """Return as soon as it believes both of its stores."""
        deadline = time.monotonic() + READY_SECONDS
        while (told := self._readiness())["status"] != "ready":
            if time.monotonic() > deadline:
                raise TimeoutError(f"instance {self.name} is not ready after {READY_SECONDS} s: {told}")
            time.sleep(0.05)

    def stop(self) -> int:
        """End it in order; return its exit status."""
        return self._running().stop()

    def kill(self) -> None:
        self._running().kill()

    def _running(self) -> ServerProcess:
        if self.process is None:
            raise RuntimeError(f"instance {self.name} was never started")
        return self.process


def compiled_clock(folder: Path) -> Path:
    """Return the library that puts the clock of one process wrong."""
    library = folder / "host_clock.so"
    if not library.exists():
        compiler = shutil.which("cc")
        if compiler is None:
            raise NoCompiler("A host clock that is off needs a C compiler; on Debian: apt-get install gcc")
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(CLOCK_SOURCE), "-ldl"]
        subprocess.run(command, check=True)
    return library
