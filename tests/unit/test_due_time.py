"""Until when a server may do what it was sent, by what it told of its own clock."""

from datetime import UTC, datetime, timedelta

from authsvc.storage.due_time import DueTime

FAR_AWAY = datetime(2050, 1, 1, tzinfo=UTC)
WITHIN = timedelta(seconds=3)
A_MOMENT = timedelta(seconds=1)


def test_a_server_that_has_told_nothing_is_to_do_nothing() -> None:
    assert DueTime(WITHIN)() < datetime(2000, 1, 1, tzinfo=UTC)


def test_it_is_reckoned_by_the_servers_clock_whatever_ours_says() -> None:
    due = DueTime(WITHIN)

    due.hear(FAR_AWAY)

    assert FAR_AWAY + WITHIN <= due() < FAR_AWAY + WITHIN + A_MOMENT


def test_what_the_server_told_last_counts() -> None:
    due = DueTime(WITHIN)
    due.hear(FAR_AWAY)

    due.hear(FAR_AWAY - timedelta(days=1))

    assert due() < FAR_AWAY - timedelta(days=1) + WITHIN + A_MOMENT
