"""A throwaway `authsvc dev`, for as long as a client needs one."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import httpx

START_SECONDS = 60.0
STOP_SECONDS = 20.0


@contextmanager
def running_service(token_format: str, **settings: str) -> Iterator[str]:
    """Start a service that issues *token_format*, give its URL, and end it by its own pid.

    *settings* are further AUTHSVC_ variables by their whole names.
    """
    with TemporaryDirectory(prefix="authsvc-clients-") as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        log = Path(folder) / "service.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "authsvc", "dev", "--port", str(port)],
                env=environment(token_format, Path(folder) / "data") | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            await_ready(process, url, log)
            yield url
        finally:
            end(process)


def environment(token_format: str, data_dir: Path) -> dict[str, str]:
    """Return ours without its AUTHSVC_ variables: what the caller configured is not under test."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AUTHSVC_")}
    return ours | {"AUTHSVC_TOKEN_FORMAT": token_format, "AUTHSVC_DATA_DIR": str(data_dir)}


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Return when the service says it is ready.

    Raises:
        RuntimeError: it ended, or took too long; its output is in the message.
    """
    deadline = monotonic() + START_SECONDS
    while monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError(f"authsvc dev did not become ready:\n{log.read_text(errors='replace')}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the service to stop; kill it if it will not."""
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
