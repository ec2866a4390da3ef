"""What an instance does when it is told to stop, before its server is told."""

import asyncio
import signal
import time
from collections.abc import Iterator
from signal import SIGINT, SIGTERM, Signals

import pytest

from authsvc.stopping import Stop

DRAIN_SECONDS = 0.05


class Server:
    """What uvicorn is to the application: it had taken the signals before."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.is_told = asyncio.Event()

    def handle(self, number: int, _frame: object) -> None:
        self.told.append(number)
        self.is_told.set()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    before = {number: signal.signal(number, made.handle) for number in (SIGTERM, SIGINT)}
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
async def test_it_says_that_it_stops_and_tells_its_server_when_load_balancers_have_noticed(
    server: Server, number: Signals
) -> None:
    stop = Stop()
    with stop.heeding(DRAIN_SECONDS):
        stop.is_serving()
        told_at = time.monotonic()
        seen: list[tuple[bool, list[int]]] = []
        asyncio.get_running_loop().call_later(
            DRAIN_SECONDS / 2, lambda: seen.append((stop.has_begun, list(server.told)))
        )

        signal.raise_signal(number)
        await asyncio.wait_for(server.is_told.wait(), 5)

    assert seen == [(True, [])]
    assert time.monotonic() - told_at >= DRAIN_SECONDS
    assert server.told == [number]


async def test_its_server_has_its_signals_back_when_it_has_stopped(server: Server) -> None:
    with Stop().heeding(0):
        pass

    signal.raise_signal(SIGTERM)

    assert server.told == [SIGTERM]


async def test_where_no_signals_come_nothing_is_taken(server: Server) -> None:
    def elsewhere() -> None:
        with Stop().heeding(0):
            assert signal.getsignal(SIGTERM) == server.handle

    await asyncio.to_thread(elsewhere)
