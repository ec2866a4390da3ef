"""The load: connections that each send the next request when the last one is answered.

A program of its own, so that it can have a core of its own: the orders come as JSON on standard input, one
a line, and a line of JSON goes out for each. An order of 20,000 requests is 10 MB, so the requests are in a
file that the order names; a run of chains leaves there what the next one goes on with.
"""

import asyncio
import contextlib
import json
import re
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvloop

from benchmarks.tally import Tally
from benchmarks.turns import Chains, Turns

LONGEST_ANSWER_SECONDS = 20
"""A request that is not answered by then, counted from the end of the load, is lost."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Run:
    """One order under way, over its connections."""

    def __init__(self, requests: Turns | Chains, expected: bytes) -> None:
        self.requests = requests
        self.tally = Tally(expected)
        self.is_over = False
        self.open = 0
        self.all_closed = asyncio.Event()

    async def go(self, port: int, *, connections: int, seconds: float, lead: float) -> None:
        """Ask for *seconds*, or until there is nothing left to ask; then wait for what is under way.

        The first and the last *lead* seconds of them do not count as in time.
        """
        loop = asyncio.get_running_loop()
        for number in range(connections):
            self.open += 1
            await loop.create_connection(partial(Connection, self, number), "127.0.0.1", port)
        if lead:
            await self._wait(lead)
            self.tally.begin_of_time()
        await self._wait(seconds - 2 * lead)
        self.tally.end_of_time()
        await self._wait(lead)
        self.is_over = True
        await self._wait(LONGEST_ANSWER_SECONDS)
        self.tally.lost += self.open

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.all_closed.wait()

    def closed(self, *, is_lost: bool) -> None:
        """Count a connection that has gone."""
        self.tally.lost += is_lost
        self.open -= 1
        if not self.open:
            self.all_closed.set()


class Connection(asyncio.Protocol):
    """One connection of a run."""

    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number
        self._got = b""
        self._asked_at = 0.0
        self._is_waiting = False
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._ask(self._run.requests.first(self._number))

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer; when it is whole, ask again."""
        self._got = self._got + data if self._got else data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._got, 0, end)
        if len(self._got) < end + 4 + (int(length[1]) if length else 0):
            return
        answer, self._got, self._is_waiting = self._got, b"", False
        self._run.tally.add(answer, self._asked_at)
        following = self._run.requests.after(self._number, answer)
        self._ask(None if self._run.is_over else following)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - whatever it was, the answer is lost
        """Count a connection that the other side ended."""
        self._run.closed(is_lost=self._is_waiting)

    def _ask(self, request: bytes | None) -> None:
        assert self._transport is not None
        if request is None:
            self._transport.close()
            return
        self._is_waiting = True
        self._asked_at = time.perf_counter()
        self._transport.write(request)


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Carry out one order."""
    file = Path(order["requests"])
    requests = [bytes.fromhex(text) for text in file.read_text().split()]
    turns = (Chains if order["chains"] else Turns)(requests, order["most"])
    run = Run(turns, order["expected"].encode())
    uvloop.run(
        run.go(order["port"], connections=order["connections"], seconds=order["seconds"], lead=order["lead"])
    )
    if order["chains"]:
        file.write_text("\n".join(request.hex() for request in turns.rest()))
    return run.tally.summary()


def main() -> None:
    """Obey until standard input ends."""
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
