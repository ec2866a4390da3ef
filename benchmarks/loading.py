"""Order the load about: one program on a core of its own, told what to send and for how long."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cores


@dataclass(frozen=True)
class Load:
    """What the load saw: answers a second, latencies in seconds, answers by status, a body for each."""

    rate: float
    answers: int
    p50: float
    p99: float
    statuses: dict[str, int]
    bodies: dict[str, str]
    lost: int


class Loader:
    """The program that loads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self._process.pid, [cores.OTHERS])

    def run(self, port: int, requests: "Requests", *, connections: int, seconds: float) -> Load:
        """Send *requests* in turn over *connections* for *seconds*."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"port": port, "connections": connections, "seconds": seconds, "requests": str(requests.file)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        seen = json.loads(self._process.stdout.readline())
        return Load(
            rate=seen["answers"] / seen["seconds"],
            **{name: seen[name] for name in Load.__dataclass_fields__ if name != "rate"},
        )

    def write(self, name: str, requests: Sequence[bytes]) -> "Requests":
        """Keep *requests* where the program reads them."""
        file = self._folder / f"{name}.requests"
        file.write_text("\n".join(request.hex() for request in requests))
        return Requests(file, len(requests))

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@dataclass(frozen=True)
class Requests:
    """Requests in a file."""

    file: Path
    count: int


def post(path: str, form: str, *headers: str) -> bytes:
    """Return a request with a form."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *headers,
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(form)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + form).encode()


def get(path: str, *headers: str) -> bytes:
    """Return a request without a body."""
    return ("\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers]) + "\r\n\r\n").encode()
