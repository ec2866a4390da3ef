"""The figures of a fault, from records made by hand."""

from typing import Any

from tests.faults.checker import check
from tests.faults.figures import Figures, Outage, longest_outage, recovery_time
from tests.faults.record import Answer, Record, Span
from tests.faults.table import table


def record(*answers: Answer, spans: tuple[Span, ...] = ()) -> Record:
    return Record("jwt", 10.0, list(answers), list(spans))


def answer(at: float, status: int = 200, **facts: Any) -> Answer:
    named: dict[str, Any] = {
        "asker": 0,
        "kind": "login",
        "instance": "a",
        "retry_after": "1" if status == 503 else "",
    }
    return Answer(begun=at, answered=at + 0.5, status=status, **named | facts)


def test_an_outage_lasts_from_the_first_refusal_to_the_next_success_of_the_same_kind_there() -> None:
    made = record(
        answer(1),
        answer(2, 503),
        answer(3, 503, kind="verify"),
        answer(3, instance="b"),
        answer(3.25),
        answer(6),
    )

    assert longest_outage(made) == Outage(1.75, "login")
    assert str(longest_outage(made)) == "1.8 s (login)"
    assert str(longest_outage(record(answer(1)))) == "none"


def test_a_time_in_which_nobody_asked_is_no_outage() -> None:
    made = record(answer(2, 503), answer(3, 503), answer(9))

    assert longest_outage(made) == Outage(1.5, "login")


def test_an_instance_that_was_killed_has_no_outage() -> None:
    made = record(answer(2, 0), answer(5), spans=(Span("instance killed", 1.5, 4, "a"),))

    assert longest_outage(made) == Outage()


def test_recovery_ends_with_the_first_second_without_a_503() -> None:
    fault = (Span("fault", 1, 4),)

    assert recovery_time(record(answer(2, 503), answer(5), spans=fault)) == 0
    assert recovery_time(record(answer(4, 503), answer(5, 503), answer(9, 503), spans=fault)) == 1.5


def test_a_row_of_the_table_holds_every_figure() -> None:
    made = record(answer(1), answer(2, 204, kind="logout"), answer(3, 503), answer(4, 0))
    figures = Figures.of("redis-flushed", made, check(made))

    assert table([figures]).splitlines()[2].replace(" ", "") == (
        "|redis-flushed|jwt|3|3|1|1|0|1|1.5s(login)|0.0s|"
    )
