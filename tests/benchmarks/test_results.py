"""Medians of rounds, and what is said of them."""

import pytest

from benchmarks.results import Results
from benchmarks.table import change, comparison_table, goals_table, number
from benchmarks.work import Goal, Line, Work, at_least, at_most


def work(*lines: Line) -> Work:
    def opened(*_: object) -> None:
        raise AssertionError("Nothing is measured here.")

    return Work("a work", opened, lines, lambda _: 1.0)  # type: ignore[arg-type] # it is never opened


def results_of(**figures: list[float]) -> Results:
    results = Results()
    for values in zip(*figures.values(), strict=True):
        results.add("a work", dict(zip(figures, values, strict=True)))
    return results


def test_the_median_of_the_rounds_counts_and_not_their_mean() -> None:
    assert results_of(rate=[5.0, 1.0, 100.0, 4.0, 3.0]).medians("a work") == {"rate": 4.0}


def test_a_figure_that_only_some_rounds_saw_is_nothing_in_the_others() -> None:
    results = Results()
    for figures in ({"kept": 1.0}, {"kept": 1.0, "rows of lease": 1.0}, {"kept": 1.0}):
        results.add("a work", figures)

    assert results.medians("a work") == {"kept": 1.0, "rows of lease": 0.0}


@pytest.mark.parametrize(
    ("goal", "figure", "is_reached"),
    [
        (at_least(0.55), 0.55, True),
        (at_least(0.55), 0.5499, False),
        (at_most(2), 2.0, True),
        (at_most(2), 2.0001, False),
    ],
)
def test_a_goal_is_reached_by_the_exact_figure(goal: Goal, figure: float, is_reached: bool) -> None:
    assert goal.is_reached(figure) is is_reached


def test_every_line_is_told_with_its_goal_whether_it_is_reached_or_not() -> None:
    lines = (
        Line("a", "one", "rate / echo", at_least(0.5), "0.15", 0.15),
        Line("b", "two", "CPU / echo", at_most(2)),
        Line("c", "three", "just told"),
    )

    assert goals_table(results_of(a=[0.6], b=[2.5], c=[7.0]).rows([work(*lines)])).splitlines()[2:] == [
        "| one | rate / echo | ≥ 0.5 | 0.600 | yes | 0.15 |",
        "| two | CPU / echo | ≤ 2 | 2.50 | **no** |  |",
        "| three | just told |  | 7 |  |  |",
    ]


def test_a_work_that_failed_has_reached_nothing_even_after_good_rounds() -> None:
    results = results_of(a=[0.9])
    results.failures["a work"] = "WrongAnswer: 500"

    (row,) = results.rows([work(Line("a", "one", "rate / echo", at_least(0.5)))])

    assert (row.figure, row.is_reached) == (None, False)
    assert "| failed | **no** |" in goals_table([row])


def test_two_commits_stand_side_by_side() -> None:
    then, now = results_of(rate=[100.0]), results_of(rate=[125.0])

    assert comparison_table(then, now, [work()], ("main", "here")).splitlines()[2:] == [
        "| a work | rate | 100 | 125 | +25.0 % |"
    ]
    assert change(0.0, 3.0) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.5512, "0.551"), (2.034, "2.03"), (18.06, "18.1"), (1234.5, "1,234"), (3.0, "3")],
)
def test_a_number_has_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text
