"""Requests at a steady rate over raw connections, in a process of their own.

Each has a moment at which it is due, whatever became of those before; its time is counted from then, so a
server that stalls is not asked less and does not look faster than it is.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop

_ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Plan:
    """What is sent: *requests* in turn, *rate* a second in all, spread evenly over the connections."""

    port: int
    connections: int
    rate: float
    seconds: float
    requests: Sequence[bytes]


@dataclass
class Outcome:
    """The time of every answer in seconds, and how many there were of each status (0: none came)."""

    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """The answers in a second."""
        return len(self.times) / self.seconds


def send(plan: Plan) -> Outcome:
    """Send it all and return what came of it."""
    return uvloop.run(_send(plan))


def hold_idle(port: int, connections: int, seconds: float) -> None:
    """Keep so many connections open that send nothing; those that are closed are opened again."""
    uvloop.run(_hold_idle(port, connections, seconds))


async def _send(plan: Plan) -> Outcome:
    outcome = Outcome()
    began = time.perf_counter()
    await asyncio.gather(*(_use(plan, number, began, outcome) for number in range(plan.connections)))
    outcome.seconds = time.perf_counter() - began
    return outcome


async def _use(plan: Plan, number: int, began: float, outcome: Outcome) -> None:
    connection = await Connection.open(plan.port)
    for count in range(number, int(plan.rate * plan.seconds), plan.connections):
        due = began + count / plan.rate
        now = time.perf_counter()
        if now > began + plan.seconds:
            break
        if due > now:
            await asyncio.sleep(due - now)
        if connection.is_over:
            connection = await Connection.open(plan.port)
        status = await connection.ask(plan.requests[count % len(plan.requests)])
        outcome.times.append(time.perf_counter() - due)
        outcome.statuses[status] += 1
    connection.close()


class Connection(asyncio.Protocol):
    """One connection, on which one request is under way at a time."""

    def __init__(self) -> None:
        self.is_over = False
        self._data = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect to loopback."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    async def ask(self, request: bytes) -> int:
        """Send a request and return the status of its answer; 0 if there is none."""
        self._answer = asyncio.get_running_loop().create_future()
        self._write(request)
        try:
            return await asyncio.wait_for(self._answer, _ANSWER_SECONDS)
        except TimeoutError:
            self.close()
            return 0

    def close(self) -> None:
        """End it."""
        self.is_over = True
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the way out."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name

    def data_received(self, data: bytes) -> None:
        """Read on, until the answer is whole."""
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not end:
            return
        lowered = head.lower()
        _, _, length = lowered.partition(b"\r\ncontent-length: ")
        if len(body) < int(length.partition(b"\r\n")[0] or b"0"):
            return
        self._data = b""
        if b"\r\nconnection: close" in lowered:
            self.close()
        self._settle(int(head.split(b" ", 2)[1]))

    def connection_lost(self, _: Exception | None) -> None:
        """Note that no answer will come."""
        self.is_over = True
        self._settle(0)

    def _write(self, request: bytes) -> None:
        if self._transport is not None:
            self._transport.write(request)

    def _settle(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


async def _hold_idle(port: int, connections: int, seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    held: list[Connection] = []
    while time.perf_counter() < deadline:
        held = [connection for connection in held if not connection.is_over]
        held += [await Connection.open(port) for _ in range(connections - len(held))]
        await asyncio.sleep(0.1)
    for connection in held:
        connection.close()
