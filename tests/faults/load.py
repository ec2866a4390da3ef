"""The steady load on two instances: many clients in one thread beside the test's own."""

import asyncio
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random

import httpx

from tests.faults.asker import Asker
from tests.faults.life import Life
from tests.faults.record import Record

# One in so many holds its sessions long.
LATE_EVERY = 4
# An instance that answers so late does not answer; a 503 has to come within 2 s.
PATIENCE_SECONDS = 10
# A server closes idle connections after 5 s; a client that goes first never sends into a closing one.
KEEPALIVE_SECONDS = 2
FINISH_SECONDS = 60
REMEMBERED_ENDS = 400


@dataclass(frozen=True)
class Target:
    """Where the load goes, and as whom."""

    urls: Mapping[str, str]
    caller: httpx.BasicAuth
    usernames: tuple[str, ...]


class Load:
    """Runs from `start` until `stop`, which returns when every session that was begun has ended."""

    def __init__(self, target: Target, record: Record, *, clients: int) -> None:
        self.record = record
        self._target = target
        self._clients = clients
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._running = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"load {record.token_format}")

    def start(self) -> None:
        self._thread.start()
        self._running.wait()

    def stop(self) -> None:
        if self._loop is not None and self._stopping is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for this one
            self._failure = error
        finally:
            self._running.set()

    async def _live(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with AsyncExitStack() as opened:
            limits = httpx.Limits(max_connections=2 * self._clients, keepalive_expiry=KEEPALIVE_SECONDS)
            instances = {
                name: await opened.enter_async_context(
                    httpx.AsyncClient(base_url=url, limits=limits, timeout=PATIENCE_SECONDS, trust_env=False)
                )
                for name, url in self._target.urls.items()
            }
            ended: deque[tuple[str, str]] = deque(maxlen=REMEMBERED_ENDS)
            lives = [self._life(number, instances, ended, self._stopping) for number in range(self._clients)]
            tasks = [asyncio.create_task(life.go_on()) for life in lives]
            self._running.set()
            await self._finish(self._stopping, tasks)

    def _life(
        self,
        number: int,
        instances: Mapping[str, httpx.AsyncClient],
        ended: deque[tuple[str, str]],
        stopping: asyncio.Event,
    ) -> Life:
        usernames = self._target.usernames
        asker = Asker(number, usernames[number % len(usernames)], self._target.caller, instances, self.record)
        random = Random(f"{self.record.token_format} {number}")  # noqa: S311 - the load is to be the same every time
        is_late = number % LATE_EVERY == LATE_EVERY - 1
        return Life(asker, ended, stopping, self.record.overlap, random, is_late)

    async def _finish(self, stopping: asyncio.Event, lives: list[asyncio.Task[None]]) -> None:
        """Wait for the order to stop, then for every client; one that breaks ends all."""
        order = asyncio.create_task(stopping.wait())
        await asyncio.wait([order, *lives], return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        done, unfinished = await asyncio.wait(lives, timeout=FINISH_SECONDS)
        if unfinished:
            self.record.complaints.append(f"{len(unfinished)} clients could not end their sessions")
        for life in unfinished:
            life.cancel()
        for life in done:
            life.result()
