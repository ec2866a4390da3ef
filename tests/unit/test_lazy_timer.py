"""A timer that is started anew ends when it would have ended if it had been set anew."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from authsvc.cli.lazy_timer import LazyTimer

SECONDS = 10


@dataclass(eq=False)
class Timer:
    """One that a loop was asked for."""

    loop: "Loop"
    ends_at: float
    call: Callable[[], object]

    def cancel(self) -> None:
        self.loop.timers.remove(self)


@dataclass
class Loop:
    """An event loop whose time is moved by hand."""

    now: float = 100
    timers: list[Timer] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        self.timers.append(Timer(self, self.now + delay, callback))
        return self.timers[-1]

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [timer for timer in self.timers if timer.ends_at <= until]:
            self.now = due[0].ends_at
            due[0].cancel()
            due[0].call()
        self.now = until


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def ends() -> list[float]:
    return []


@pytest.fixture
def timer(loop: Loop, ends: list[float]) -> LazyTimer:
    return LazyTimer(loop, SECONDS, lambda: ends.append(loop.now))


def test_it_ends_once_when_its_time_is_over(loop: Loop, timer: LazyTimer, ends: list[float]) -> None:
    timer.start()

    loop.pass_time(5 * SECONDS)

    assert ends == [110]


def test_each_start_begins_its_time_anew(loop: Loop, timer: LazyTimer, ends: list[float]) -> None:
    for _ in range(5):
        timer.start()
        loop.pass_time(SECONDS - 1)

    loop.pass_time(SECONDS)

    assert ends == [100 + 4 * (SECONDS - 1) + SECONDS]


def test_one_that_was_stopped_does_not_end(loop: Loop, timer: LazyTimer, ends: list[float]) -> None:
    timer.start()
    loop.pass_time(1)
    timer.stop()
    loop.pass_time(2 * SECONDS)
    assert ends == []

    timer.start()
    loop.pass_time(SECONDS)

    assert ends == [100 + 1 + 2 * SECONDS + SECONDS]


def test_however_often_it_is_started_the_loop_has_one(loop: Loop, timer: LazyTimer) -> None:
    for _ in range(100):
        timer.start()
        loop.pass_time(0.5)
        timer.stop()

        assert len(loop.timers) == 1


def test_one_that_is_cancelled_leaves_nothing(loop: Loop, timer: LazyTimer, ends: list[float]) -> None:
    timer.start()

    timer.cancel()

    assert loop.timers == []
    loop.pass_time(2 * SECONDS)
    assert ends == []
