"""Postgres and Redis as compose.yaml asks for them, on the ports that it takes for granted."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fixtures.postgres import installed_initdb
from tests.image.compose import command_of

NOBODY = 65_534
START_SECONDS = 60
STOP_SECONDS = 30


def missing() -> str | None:
    """Return what must be installed first, if anything."""
    if next(installed_initdb(), None) is None:
        return "postgresql"
    return None if shutil.which("redis-server") else "redis-server"


@contextmanager
def postgres(service: dict[str, Any], folder: Path) -> Iterator[None]:
    """Make the database that the service names, as the image does, and serve it for the block."""
    programs = next(installed_initdb()).parent
    variables = {name: str(value) for name, value in service["environment"].items()}
    user, password = variables["POSTGRES_USER"], variables["POSTGRES_PASSWORD"]
    word = _owned(folder) / "password"
    word.write_text(password)
    word.chmod(0o644)
    data = folder / "data"
    options = ["--no-sync", "--auth=scram-sha-256", f"--username={user}", f"--pwfile={word}"]
    _as_nobody([f"{programs}/initdb", *options, f"--pgdata={data}"])
    server = [f"{programs}/postgres", "-D", str(data), "-c", "unix_socket_directories="]
    with _serving(server, _on(programs, command_of(service["healthcheck"])), folder):
        address = ["--host=127.0.0.1", f"--username={user}"]
        made = [f"{programs}/createdb", *address, "--no-password", variables["POSTGRES_DB"]]
        subprocess.run(made, env={"PGPASSWORD": password}, check=True)
        yield


@contextmanager
def redis(service: dict[str, Any], folder: Path) -> Iterator[None]:
    """Serve with the service's own command for the block."""
    here = ["--bind", "127.0.0.1", "--dir", str(_owned(folder))]
    with _serving([*service["command"], *here], command_of(service["healthcheck"]), folder):
        yield


def _owned(folder: Path) -> Path:
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


def _on(programs: Path, command: list[str]) -> list[str]:
    return [str(programs / command[0]), *command[1:]]


def _as_nobody(command: list[str]) -> None:
    subprocess.run(
        command,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        stdout=subprocess.DEVNULL,
        check=True,
    )


@contextmanager
def _serving(command: list[str], health: list[str], folder: Path) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(
            command, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", stdout=log, stderr=log
        )
    try:
        wait_until_healthy(health)
        yield
    finally:
        started.terminate()
        started.wait(STOP_SECONDS)


def wait_until_healthy(health: list[str]) -> None:
    """Return as soon as the health check says so."""
    deadline = time.monotonic() + START_SECONDS
    while not is_healthy(health):
        if time.monotonic() > deadline:
            raise TimeoutError(f"unhealthy after {START_SECONDS} s: {' '.join(health)}")
        time.sleep(0.2)


def is_healthy(health: list[str]) -> bool:
    """Whether the health check says so now."""
    return subprocess.run(health, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
