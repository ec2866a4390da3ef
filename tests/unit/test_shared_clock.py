"""A clock that tells another's time: which samples it believes, and that it runs forward."""

from datetime import datetime, timedelta

import pytest

from authsvc.clock import Sample, SharedClock, steady_clock
from tests.fixtures.clock import ManualClock


class Clocks:
    """A database, a host whose time of day is half a minute off, and the host's count since its start."""

    def __init__(self) -> None:
        self.database = ManualClock()
        self.host = ManualClock()
        self.host.advance(seconds=30)
        self.counter = ManualClock()
        self.counter.advance(days=-20_000)
        self.shared = SharedClock(self.counter, self.host)

    def advance(self, **span: float) -> None:
        for clock in (self.database, self.host, self.counter):
            clock.advance(**span)

    def sample(self, *, there: float = 0.001, back: float = 0.001) -> timedelta:
        """Ask the database; the question and the answer are under way for so many seconds."""
        sent = self.counter()
        self.advance(seconds=there)
        theirs = self.database()
        self.advance(seconds=back)
        return self.shared.adjust(Sample(sent, theirs, self.counter()))

    @property
    def off(self) -> float:
        """How many seconds the shared clock is ahead of the database's."""
        return (self.shared() - self.database()).total_seconds()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def told(clocks: Clocks) -> Clocks:
    """The same, after a first sample."""
    clocks.sample()
    return clocks


def test_until_it_is_told_better_it_tells_the_time_of_its_host(clocks: Clocks) -> None:
    assert clocks.off == 30


def test_it_tells_the_time_of_the_other_clock_whatever_its_host_thinks(told: Clocks) -> None:
    assert told.off == 0

    told.advance(minutes=5)
    told.host.advance(hours=-3)

    assert told.off == 0


def test_it_is_off_by_half_a_trip_at_the_most(clocks: Clocks) -> None:
    clocks.sample(there=0.040, back=0)

    assert clocks.off == pytest.approx(0.020)


def test_a_worse_sample_does_not_shake_a_better_one(told: Clocks) -> None:
    for there, back in [(0.049, 0), (0, 0.049), (0.02, 0.01)]:
        assert told.sample(there=there, back=back) == timedelta(0)

    assert told.off == 0


@pytest.mark.parametrize("drift", [0.2, -0.2, 0.003, -0.003])
def test_drift_is_corrected_to_within_a_trip(told: Clocks, drift: float) -> None:
    told.database.advance(seconds=drift)

    told.sample()
    told.advance(seconds=1)

    assert abs(told.off) <= 0.001


def test_a_slow_sample_is_thrown_away_whatever_it_says(told: Clocks) -> None:
    told.database.advance(seconds=0.5)
    assert told.sample(there=0.026, back=0.025) == timedelta(0)
    told.database.advance(hours=1)
    assert told.sample(there=0.051, back=0) == timedelta(0)

    assert told.off == pytest.approx(-3600.5)


def test_a_slow_sample_is_better_than_none(clocks: Clocks) -> None:
    clocks.sample(there=0.040, back=0.050)
    assert clocks.off == pytest.approx(-0.005)

    clocks.database.advance(seconds=0.2)
    clocks.sample(there=0.045, back=0.045)
    assert abs(clocks.off) <= 0.05

    clocks.sample()
    assert abs(clocks.off) <= 0.001


def test_a_small_correction_backwards_makes_it_stand_still(told: Clocks) -> None:
    told.database.advance(seconds=-0.3)
    before = told.shared()

    moved = told.sample()
    seen: list[datetime] = []
    for _ in range(40):
        seen.append(told.shared())
        told.advance(seconds=0.01)

    assert moved == timedelta(seconds=-0.299)
    assert seen == sorted(seen)
    assert seen[0] >= before
    assert seen[0] == seen[20]
    assert abs(told.off) <= 0.001


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_was_set_is_followed_at_once(told: Clocks, hours: int) -> None:
    told.database.advance(hours=hours)

    moved = told.sample()

    assert moved == timedelta(hours=hours)
    assert told.off == 0


def test_two_hosts_agree(told: Clocks) -> None:
    other = Clocks()
    other.host.advance(seconds=-60)
    other.counter.advance(days=300)
    other.sample(there=0.001, back=0.003)

    assert abs(other.off - told.off) <= 0.001


def test_the_count_behind_it_only_runs_forward() -> None:
    counted = [steady_clock() for _ in range(1000)]

    assert counted == sorted(counted)
    assert counted[0].utcoffset() == timedelta(0)
