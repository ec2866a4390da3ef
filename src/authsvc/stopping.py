"""How an instance stops: it says so first, lets load balancers notice, and only then leaves it to its server.

The server (uvicorn) stops listening, finishes the requests it has read, and ends the application's life.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import structlog

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# What was sent before the order may not have been read by then, and the server closes what it has not read.
_GRACE_SECONDS = 0.25
# A connection is accepted in one turn of the event loop, made in the next, and read some turns later; on a
# busy machine one turn takes long.
_TURNS = 8
_KILLED = 128  # and the signal's number: what a shell says of a program that a signal has ended

_log = structlog.stdlib.get_logger("authsvc.stopping")

_Handler = Callable[[int, FrameType | None], Any] | int | None


class Stop:
    """Whether this instance was told to stop: then it is not ready, and keeps no connection alive."""

    def __init__(self) -> None:
        self.has_begun = False
        self._is_serving = False
        self._drain_seconds = 0.0
        self._server: dict[int, _Handler] = {}

    @contextmanager
    def heeding(self, drain_seconds: float) -> Iterator[None]:
        """Take SIGTERM and SIGINT from the server for the length of the block, and pass them on in time."""
        if threading.current_thread() is not threading.main_thread():
            yield  # Python delivers signals to the main thread only
            return
        self._drain_seconds = drain_seconds
        loop = asyncio.get_running_loop()
        parent = multiprocessing.parent_process()
        if parent is not None:
            loop.add_reader(parent.sentinel, self._lose_parent, loop, parent.sentinel)
        self._server = {
            number: signal.signal(number, lambda told, _: loop.call_soon_threadsafe(self._begin, told))
            for number in _SIGNALS
        }
        try:
            yield
        finally:
            for number, handler in self._server.items():
                signal.signal(number, handler)
            if parent is not None:
                loop.remove_reader(parent.sentinel)

    def is_serving(self) -> None:
        """Note that requests are accepted from now on."""
        self._is_serving = True

    def _begin(self, number: int) -> None:
        if not self._is_serving:
            # Nothing was accepted, and the server would first wait for the end of a start nobody wants.
            os._exit(0)
        if self.has_begun:
            self._end_at_once(number)
            return
        self.has_begun = True
        _log.info("stopping", signal=signal.Signals(number).name, drain_seconds=self._drain_seconds)
        patience = max(self._drain_seconds, _GRACE_SECONDS)
        asyncio.get_running_loop().call_later(patience, self._leave_to_server, number)

    def _end_at_once(self, number: int) -> None:
        # A worker hears of one order more than once, from its parent and from the terminal or the service
        # manager; its parent ends it when that was told twice.
        if multiprocessing.parent_process() is None:
            _log.warning("stopped_at_once", signal=signal.Signals(number).name)
            os._exit(_KILLED + number)

    def _leave_to_server(self, number: int, turns: int = _TURNS) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._leave_to_server, number, turns - 1)
            return
        handler = self._server[number]
        if callable(handler):
            handler(number, None)
        else:
            signal.signal(number, handler)
            signal.raise_signal(number)

    def _lose_parent(self, loop: asyncio.AbstractEventLoop, sentinel: int) -> None:
        """Stop, in a worker whose parent has died and can replace nobody any more."""
        loop.remove_reader(sentinel)
        if not self.has_begun:
            self._begin(signal.SIGTERM)
