"""Carry out compose.yaml with an image that was built, in the order that `depends_on` gives."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.image import stores
from tests.image.compose import seconds
from tests.image.container import Image, locked_up, process_1
from tests.image.report import Report

ENGINE = "**not run**: it is the engine's to do"
HOW = {
    "build": "the lines above",
    "env_file": "**not run**: a fresh clone has no such file",
    "environment": "set as written, with the default of each variable and a new secret",
    "init": "**not run**: the program itself is process 1, which is harder",
    "read_only": "the root is mounted so; a write is tried",
    "tmpfs": "mounted as written",
    "cap_drop": "dropped; read back from /proc",
    "security_opt": "set; read back from /proc",
    "command": "run as written",
    "healthcheck": "run as written until it says 0",
    "restart": ENGINE,
    "depends_on": "the order in which they were started",
    "ports": f"{ENGINE}; the port is asked inside",
    "stop_grace_period": "SIGTERM; it ends by itself within that time, with status 0",
    "image": "**not run**: Debian's server stands in",
    "volumes": f"{ENGINE}; a folder stands in",
}
# The same container, and only the other one's is looked into.
HOW_OF_MIGRATE = HOW | {
    "healthcheck": "there is none to run",
    **dict.fromkeys(["read_only", "cap_drop", "security_opt"], "set as for `authsvc`"),
}
# What the stand-ins for the stores are given differs.
HOW_OF_STORES = HOW | {
    "environment": "user, password (by SCRAM) and database are made with them",
    "stop_grace_period": ENGINE,
    "command": "run as written, with where to listen and to keep its file",
}


@dataclass(frozen=True)
class Server:
    """The service while it runs."""

    started: subprocess.Popen[bytes]
    grace: int

    def status(self) -> dict[str, str]:
        """What the kernel says of process 1."""
        lines = Path(f"/proc/{process_1(self.started)}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def stop(self) -> int:
        """Send what the engine sends, and return the exit status if it comes in time."""
        os.kill(process_1(self.started), signal.SIGTERM)
        return self.started.wait(self.grace)


class Composed:
    """The services of compose.yaml over the image."""

    def __init__(
        self, services: dict[str, dict[str, Any]], image: Image, folder: Path, report: Report
    ) -> None:
        self._services = services
        self._image = image
        self._folder = folder
        hows = {"authsvc": HOW, "migrate": HOW_OF_MIGRATE}
        for name, service in services.items():
            how = hows.get(name, HOW_OF_STORES)
            for key, value in service.items():
                report.of_service(name, key, "…" if key == "environment" else value, how[key])

    @contextmanager
    def stores(self) -> Iterator[None]:
        """Start both stores, wait until they are healthy, and migrate."""
        with ExitStack() as stack:
            stack.enter_context(stores.postgres(self._services["postgres"], self._folder / "postgres"))
            stack.enter_context(stores.redis(self._services["redis"], self._folder / "redis"))
            self.run("migrate", self._services["migrate"]["command"])
            yield

    def run(self, name: str, command: list[str], *, stdin: bytes = b"") -> bytes:
        """Run a command in a container of this service to its end, and return what it prints."""
        return subprocess.run(
            self._inside(name, command), input=stdin, stdout=subprocess.PIPE, check=True
        ).stdout

    @contextmanager
    def serving(self, *options: str) -> Iterator[Server]:
        """Run the image's own command, with *options* behind it, until it is healthy; then the block."""
        started = subprocess.Popen(self._inside("authsvc", [*self._image.command, *options]))
        try:
            stores.wait_until_healthy(self.health())
            yield Server(started, seconds(self._services["authsvc"]["stop_grace_period"]))
        finally:
            if started.poll() is None:
                started.kill()
                started.wait()

    def without_tmp(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run the image's own command with nothing at all to write to, to its end."""
        image = self._image.having(self._environment("authsvc"))
        command = locked_up(image, [*image.command, *options], tmp="")
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def health(self) -> list[str]:
        """The image's health check, as a command to run here."""
        return self._inside("authsvc", list(self._image.health))

    def _environment(self, name: str) -> dict[str, str]:
        return {key: str(value) for key, value in self._services[name]["environment"].items()}

    def _inside(self, name: str, command: list[str]) -> list[str]:
        [tmp] = self._services[name]["tmpfs"]
        return locked_up(self._image.having(self._environment(name)), command, tmp=str(tmp).partition(":")[2])
