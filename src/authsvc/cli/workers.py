"""`authsvc serve --workers N`: the parent of the processes that serve one port."""

import multiprocessing.connection
import signal
import time
from socket import socket

import structlog
from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

_PAUSE_SECONDS = 5.0
"""Between two tries to start a worker that could not."""

_TOLD = {signal.SIGTERM, signal.SIGINT}
_KILLED = 128

_log = structlog.stdlib.get_logger("authsvc.workers")


class Workers(Multiprocess):
    """uvicorn's, but that one worker's failure is never the others', and that it always comes to an end."""

    def __init__(self, config: Config, sockets: list[socket], *, longest_stop: float) -> None:
        super().__init__(config, sockets)
        self.status = 0
        self._longest_stop = longest_stop
        self._have_served = False
        self._next_try = 0.0
        self._asked_at: dict[Process, float] = {}

    def keep_subprocess_alive(self) -> None:
        """Replace each worker that has died or hangs. Only those of a first start may not fail."""
        if self.should_exit.is_set():
            return
        for index, worker in enumerate(self.processes):
            if self._is_well(worker):
                continue
            worker.kill()
            worker.process.join()
            self._asked_at.pop(worker, None)
            if worker.exitcode == STARTUP_FAILURE and not self._have_served:
                self.status = STARTUP_FAILURE
                self.should_exit.set()
                return
            self._replace(index, worker)

    def _is_well(self, worker: Process) -> bool:
        """Whether it runs and answers in time. Nothing is waited for: a signal might come meanwhile."""
        if not worker.process.is_alive():
            return False
        now = time.monotonic()
        try:
            if worker.parent_conn.poll():
                self._have_served = worker.parent_conn.recv() or self._have_served
                self._asked_at.pop(worker, None)
            if worker not in self._asked_at:
                worker.parent_conn.send(b"ping")
                self._asked_at[worker] = now
        except (OSError, EOFError):
            return False
        return now - self._asked_at[worker] < self.config.timeout_worker_healthcheck

    def _replace(self, index: int, worker: Process) -> None:
        if worker.exitcode == STARTUP_FAILURE:
            if time.monotonic() < self._next_try:
                return
            self._next_try = time.monotonic() + _PAUSE_SECONDS
        self.processes[index] = Process(self.config, self.sockets)
        self.processes[index].start()
        _log.warning(
            "worker_replaced", pid=worker.pid, exit_status=worker.exitcode, by=self.processes[index].pid
        )

    def terminate_all(self) -> None:
        """Tell every worker to stop."""
        # Each has its own copy. While one was open here, callers would be let in and served by nobody.
        for listening in self.sockets:
            listening.close()
        super().terminate_all()

    def join_all(self) -> None:
        """Wait for the workers; end them when told to stop once more, or when one takes too long."""
        deadline = time.monotonic() + self._longest_stop
        while running := [worker.process.sentinel for worker in self.processes if worker.process.is_alive()]:
            told = next((number for number in self.signal_queue if number in _TOLD), None)
            if told is not None or time.monotonic() > deadline:
                self.status = _KILLED + (told or signal.SIGKILL)
                _log.warning("stopped_at_once", workers=len(running))
                for worker in self.processes:
                    worker.process.kill()
            multiprocessing.connection.wait(running, timeout=0.1)
