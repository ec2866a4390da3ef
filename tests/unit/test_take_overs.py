"""The pauses between one instance's take-overs of the denylist."""

from datetime import timedelta

from authsvc.storage.take_overs import CALM, FIRST_PAUSE, LONGEST_PAUSE, TakeOvers
from tests.fixtures.clock import ManualClock


def pauses(clock: ManualClock, take_overs: TakeOvers, count: int) -> list[timedelta]:
    """How long it has to wait before each of the next take-overs, to the millisecond."""
    found = []
    for _ in range(count):
        began = clock.now
        while not take_overs.begin():
            clock.advance(milliseconds=1)
        found.append(clock.now - began)
    return found


def test_the_first_comes_at_once_and_each_next_one_later_up_to_a_bound() -> None:
    clock = ManualClock()
    take_overs = TakeOvers(clock, fraction=lambda: 0.0)

    found = pauses(clock, take_overs, 9)

    expected = [0, *(min(30, 0.5 * 2**number) for number in range(8))]
    assert [pause.total_seconds() for pause in found] == expected


def test_a_pause_is_up_to_a_half_shorter_at_random() -> None:
    clock = ManualClock()
    take_overs = TakeOvers(clock, fraction=lambda: 0.5)

    assert pauses(clock, take_overs, 3)[1:] == [0.75 * FIRST_PAUSE, 1.5 * FIRST_PAUSE]
    drawn = {TakeOvers(clock).fraction() for _ in range(8)}
    assert len(drawn) > 1
    assert all(0 <= fraction < 1 for fraction in drawn)


def test_after_a_calm_the_first_comes_at_once_again() -> None:
    clock = ManualClock()
    take_overs = TakeOvers(clock, fraction=lambda: 0.0)
    assert pauses(clock, take_overs, 8)[-1] == LONGEST_PAUSE

    clock.now += CALM + FIRST_PAUSE

    assert pauses(clock, take_overs, 2) == [timedelta(0), FIRST_PAUSE]


def test_a_clock_that_was_set_back_ends_a_pause() -> None:
    clock = ManualClock()
    take_overs = TakeOvers(clock)
    pauses(clock, take_overs, 8)

    clock.advance(hours=-1)

    assert take_overs.begin()
    assert not take_overs.begin()
