"""Order the load about: one program on cores of its own, told what to send and for how long."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from benchmarks import cores
from benchmarks.program import Program

_MINUTES = 600.0


class WrongAnswer(Exception):
    """What was measured is not what was meant: its figures are worth nothing."""


@dataclass(frozen=True)
class Load:
    """What the load saw: seconds until the last answer, latencies in seconds, answers by status."""

    seconds: float
    answers: int
    p50: float
    p99: float
    statuses: dict[str, int]
    in_time: dict[str, int]
    wrong: int
    example: str
    lost: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds

    def check(self, name: str, *statuses: str) -> "Load":
        """Return it, if every request was answered, with one of *statuses* (200 if none is named).

        Raises:
            WrongAnswer: it was not, or a 200 did not say what it should.
        """
        others = self.statuses.keys() - (statuses or {"200"})
        if self.lost or self.wrong or others or not self.answers:
            raise WrongAnswer(
                f"{name}: answers {self.statuses}, {self.lost} lost, {self.wrong} that say something else: "
                f"{self.example}"
            )
        return self


class Loader:
    """The program that loads."""

    _numbers = count()

    def __init__(self, folder: Path, on: Iterable[int] = (cores.OTHERS,)) -> None:
        self._folder = folder
        self._program = Program("benchmarks.load", on=on)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._program.pid

    def run(self, port: int, requests: "Requests", *, connections: int, seconds: float = _MINUTES) -> Load:
        """Send *requests* in turn over *connections* for *seconds*, or as many as there are to be."""
        self.begin(port, requests, connections=connections, seconds=seconds)
        return self.end()

    def begin(
        self, port: int, requests: "Requests", *, connections: int, seconds: float, lead: float = 0
    ) -> None:
        """Start that; `end` waits for it. The first and the last *lead* seconds do not count as in time."""
        order = {
            "port": port,
            "connections": connections,
            "seconds": seconds,
            "lead": lead,
            "requests": str(requests.file),
            "expected": requests.expected,
            "most": requests.most,
            "chains": requests.are_chains,
        }
        self._program.tell(order)

    def end(self) -> Load:
        """Return what came of the order that was begun."""
        return Load(**self._program.hear())

    def write(
        self,
        requests: Sequence[bytes],
        *,
        expected: str = "",
        most: int | None = None,
        are_chains: bool = False,
    ) -> "Requests":
        """Keep *requests* where the program reads them."""
        file = self._folder / f"{next(self._numbers)}.requests"
        file.write_text("\n".join(request.hex() for request in requests))
        return Requests(file, expected, most, are_chains)

    def close(self) -> None:
        """End it."""
        self._program.close()


@dataclass(frozen=True)
class Requests:
    """Requests in a file, what a 200 must say, and how many are sent at most.

    Chains: each connection sends one of them, and then what the answers make of it.
    """

    file: Path
    expected: str
    most: int | None
    are_chains: bool


def post(path: str, form: dict[str, str], *headers: str) -> bytes:
    """Return a request with a form."""
    body = urlencode(form)
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *headers,
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def get(path: str, *headers: str) -> bytes:
    """Return a request without a body."""
    return ("\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers]) + "\r\n\r\n").encode()
