"""What can be measured, and how it is told as a whole."""

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import SHORT, WORKS, choose, main
from benchmarks.results import Results
from benchmarks.sessions_or_tokens import as_picture, as_table
from benchmarks.ways import NAMES

EVERY_GOAL = sum(line.goal is not None for work in WORKS for line in work.lines)
FOUND = {"processor": "a processor", "cores": "2"}


@pytest.fixture
def results() -> Results:
    """Results in which every figure is exactly at its goal."""
    results = Results()
    for work in WORKS:
        results.add(work.name, {line.figure: line.goal.bound if line.goal else 1.0 for line in work.lines})
    return results


def test_all_works_are_done_if_none_is_named() -> None:
    assert choose([]) == list(WORKS)
    assert [work.name for work in choose(["storm", "jwt"])] == ["storm", "jwt"]


def test_a_work_that_there_is_not_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["jwt", "nothing"])

    assert "there is no work nothing; there are jwt, new, opaque," in capsys.readouterr().err


def test_the_page_describes_every_work(repository: Path) -> None:
    page = (repository / "docs/benchmarks.md").read_text()

    assert [work.name for work in WORKS if f"\n| `{work.name}` |" not in page] == []


def test_the_whole_page_tells_every_line_and_how_many_goals_are_reached(results: Results) -> None:
    about = report.describe(SHORT, FOUND, ["The machine was busy."])

    page = report.summary(results, WORKS, about)

    assert page.startswith("# What the service costs\n\n**The machine was busy.** Commit ")
    assert "processor a processor, cores 2" in page
    assert f"{EVERY_GOAL} of {EVERY_GOAL} goals are reached." in page
    assert [line.work for work in WORKS for line in work.lines if f"| {line.work} |" not in page] == []


def test_a_work_that_failed_is_named_at_the_top(results: Results) -> None:
    results.failures["jwt"] = "WrongAnswer: introspect: answers {'500': 1}\nmore"

    page = report.summary(results, WORKS, "about")

    assert "\n**jwt failed**: WrongAnswer: introspect: answers {'500': 1}\n\n" in page
    assert f"{EVERY_GOAL - 6} of {EVERY_GOAL} goals are reached." in page
    assert "introspect a live JWT:" not in report.picture(list(results.rows(WORKS)))


def test_the_figures_of_every_round_are_kept(results: Results) -> None:
    kept = json.loads(report.as_json([results], ["here"], SHORT, FOUND))

    assert kept["rounds"]["here"] == results.rounds
    assert kept["length"]["rounds"] == SHORT.rounds


def test_the_ways_of_checking_stand_side_by_side() -> None:
    figures: dict[str, str | float] = {
        "CPU µs of the consumer": 100.0,
        "CPU µs of authsvc and its stores": 0.0,
        "p50 µs": 123.4,
        "p99 µs": 234.5,
        "token bytes": 62,
        "bytes of a check": 956.0,
        "rows of a session": 2.0,
        "bytes of a session": 500.0,
        "logout seen after s": 0.002,
        "Redis away": "right, p50 0.2 ms",
        "Postgres away": "503, within 0.1 s",
        "both away": "503, within 0.1 s",
    }
    told = dict.fromkeys(NAMES, figures)

    lines = as_table(told).splitlines()

    assert lines[0] == f"|  | {' | '.join(NAMES)} |"
    assert "| on the wire for a check, both directions | 956 bytes | 956 bytes | 956 bytes |" in lines
    assert any(line.startswith("| a logout is seen after | 0.0 s, with tokens") for line in lines)
    assert f"{NAMES[0]}: 100 µs; p50 123 µs" in as_picture(told)
