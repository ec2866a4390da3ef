"""Start the programs of the pages: each a process of its own on a free port of loopback."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.fixtures.command import TRACING
from tests.fixtures.process import ON_A_LEASH

START_SECONDS = 30
STOP_SECONDS = 10


class Program:
    """One server, whatever its language. Its output goes to a file of the folder it runs in."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        folder: Path,
        port: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", ON_A_LEASH, *command]
                if sys.platform == "linux"
                else command,
                cwd=folder,
                env={name: value for name, value in os.environ.items() if not name.startswith(TRACING)}
                | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_until_serving(self) -> None:
        """Return as soon as its port takes connections."""
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            status = self._process.poll()
            assert status is None, f"{self.name} ended with exit status {status}: {self.log}"
            assert time.monotonic() < deadline, f"{self.name} does not serve: {self.log}"
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to go; make it go if it does not."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return self._process.poll() is None
        return False


@contextlib.contextmanager
def serving(program: Program) -> Iterator[Program]:
    """Wait for *program*, and stop it at the end of the block."""
    try:
        program.wait_until_serving()
        yield program
    finally:
        program.stop()
