"""The load: connections that each send the next request when the last one is answered.

A program of its own, so that it can have a core of its own: the orders come as JSON on standard input, one
a line, and a line of JSON goes out for each. An order of 20,000 requests is 10 MB, so the requests are read
from a file once and named by it.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, cast

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Tally:
    """What came back: latencies in seconds, answers by status, and one body for each status."""

    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bodies: dict[int, str] = field(default_factory=dict)
    lost: int = 0

    def add(self, answer: bytes, seconds: float) -> None:
        """Count one answer."""
        status = int(answer[9:12])
        if status not in self.bodies:
            self.bodies[status] = answer[answer.find(b"\r\n\r\n") + 4 :].decode(errors="replace")
        self.statuses[status] += 1
        self.latencies.append(seconds)


class Connection(asyncio.Protocol):
    """One connection; *wait* is the pause after an answer, in seconds."""

    def __init__(self, requests: list[bytes], turn: "count[int]", tally: Tally, done: asyncio.Event) -> None:
        self._requests = requests
        self._turn = turn
        self._tally = tally
        self._done = done
        self._got = b""
        self._asked_at = 0.0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer; when it is whole, ask again."""
        self._got = self._got + data if self._got else data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._got, 0, end)
        if len(self._got) < end + 4 + (int(length[1]) if length else 0):
            return
        self._tally.add(self._got, time.perf_counter() - self._asked_at)
        self._got = b""
        if self._done.is_set():
            self._close()
        else:
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        """Count a connection that the other side ended."""
        if self._transport is not None and not self._transport.is_closing():
            self._tally.lost += 1

    def _ask(self) -> None:
        assert self._transport is not None
        self._asked_at = time.perf_counter()
        self._transport.write(self._requests[next(self._turn) % len(self._requests)])

    def _close(self) -> None:
        assert self._transport is not None
        self._transport.close()


async def run(port: int, requests: list[bytes], *, connections: int, seconds: float) -> Tally:
    """Ask for *seconds* over *connections*."""
    tally, done, turn = Tally(), asyncio.Event(), count()
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(requests, turn, tally, done), "127.0.0.1", port)
    await asyncio.sleep(seconds)
    done.set()
    await asyncio.sleep(0.05)
    return tally


def main() -> None:
    """Obey until standard input ends."""
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        requests = [bytes.fromhex(text) for text in Path(order["requests"]).read_text().split()]
        began = time.perf_counter()
        tally = uvloop.run(
            run(order["port"], requests, connections=order["connections"], seconds=order["seconds"])
        )
        latencies = sorted(tally.latencies)
        answer = {
            "seconds": order["seconds"],
            "whole_seconds": time.perf_counter() - began,
            "answers": len(latencies),
            "p50": latencies[len(latencies) // 2] if latencies else 0,
            "p99": latencies[len(latencies) * 99 // 100] if latencies else 0,
            "statuses": tally.statuses,
            "bodies": tally.bodies,
            "lost": tally.lost,
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
