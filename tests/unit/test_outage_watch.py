"""What counts as one outage of the database, and when it is over."""

from datetime import datetime, timedelta

import pytest

from authsvc.storage.outage import Outage, OutageWatch
from tests.fixtures.clock import START, ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def watch(clock: ManualClock) -> OutageWatch:
    return OutageWatch(clock, timedelta(seconds=10))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_start_is_not_a_return(watch: OutageWatch) -> None:
    watch.succeeded(at(0))

    assert watch.latest() is None


def test_an_outage_is_not_over_before_the_database_answers(watch: OutageWatch) -> None:
    watch.failed(at(0))

    assert watch.latest() is None


def test_an_outage_lasts_from_the_first_failure_to_the_first_answer(
    watch: OutageWatch, clock: ManualClock
) -> None:
    watch.failed(at(3))
    watch.failed(at(2))  # slower to fail, and begun before
    watch.failed(at(4))
    clock.advance(seconds=60)
    watch.succeeded(at(59))
    clock.advance(seconds=5)
    watch.succeeded(at(64))

    assert watch.latest() == Outage(at(2), at(60))


def test_an_answer_to_a_question_of_before_is_no_return(watch: OutageWatch) -> None:
    watch.failed(at(3))
    watch.succeeded(at(2))

    assert watch.latest() is None


def test_a_failure_of_before_the_return_is_no_new_outage(watch: OutageWatch, clock: ManualClock) -> None:
    watch.failed(at(0))
    clock.advance(seconds=30)
    watch.succeeded(at(29))
    watch.failed(at(28))

    assert watch.latest() == Outage(at(0), at(30))


def test_two_outages_with_no_whole_overlap_between_them_are_one(
    watch: OutageWatch, clock: ManualClock
) -> None:
    watch.failed(at(0))
    clock.advance(seconds=30)
    watch.succeeded(at(30))
    watch.failed(at(39.9))
    clock.advance(seconds=30)
    watch.succeeded(at(60))

    assert watch.latest() == Outage(at(0), at(60))


def test_a_later_outage_is_another_and_forgives_nothing_of_the_first(
    watch: OutageWatch, clock: ManualClock
) -> None:
    watch.failed(at(0))
    clock.advance(seconds=30)
    watch.succeeded(at(30))
    watch.failed(at(40))
    clock.advance(seconds=30)
    watch.succeeded(at(60))

    assert watch.latest() == Outage(at(40), at(60))
