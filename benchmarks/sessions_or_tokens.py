"""`python -m benchmarks.sessions_or_tokens`: the three ways to check a token, side by side."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import checking, machine
from benchmarks.checking import SHORT_LIFE, Told
from benchmarks.picture import Bar, bars
from benchmarks.progress import Progress
from benchmarks.section import replace_section
from benchmarks.side import ROOT, commit
from benchmarks.table import number, table
from benchmarks.ways import LOCAL, NAMES
from benchmarks.world import open_world

_PAGES = (ROOT / "README.md", ROOT / "docs/sessions-or-tokens.md")
_PICTURE = ROOT / "docs/sessions-or-tokens.svg"
_DEFAULT_LIFE = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write it into the pages."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sessions_or_tokens", description=__doc__)
    parser.add_argument("--short", action="store_true", help="to see that it works; no page is written")
    is_short = parser.parse_args(arguments).short
    rounds, seconds = (1, 0.3) if is_short else (5, 2.0)
    machine.demand_two_cores()
    found = machine.describe()
    doubts = "".join(f"**{doubt}** " for doubt in machine.doubts())
    told = measure(rounds, seconds)
    about = f"{doubts}Commit {commit()}, {found['processor']}; one connection, medians of {rounds} rounds."
    page = f"{as_table(told)}\n\n{about}"
    print(page)
    if is_short:
        return 0
    _PICTURE.write_text(as_picture(told))
    facts = {"commit": commit(), "machine": found, "ways": told}
    (ROOT / "benchmarks/sessions-or-tokens.json").write_text(json.dumps(facts, indent=1) + "\n")
    for file in _PAGES:
        link = _PICTURE.relative_to(file.parent)
        replace_section(file, "measured", f"![What a check costs, in µs of CPU]({link})\n\n{page}")
    return 0


def measure(rounds: int, seconds: float) -> dict[str, Told]:
    """Return all that is told of each way."""
    progress = Progress(rounds * 3 * seconds + 60)
    told: dict[str, Told] = {name: {} for name in NAMES}

    def add(part: Mapping[str, Told], planned: float) -> None:
        for name, facts in part.items():
            told[name] |= facts
        progress.done(planned)

    with open_world() as world:
        progress.tell("what a check costs")
        add(checking.costs(world, rounds=rounds, seconds=seconds), rounds * 3 * seconds + 10)
        progress.tell("what a session stores")
        add(checking.growth(world), 15)
        progress.tell("how long a logout is not seen")
        add(checking.revocation(world), 20)
        progress.tell("Redis and Postgres are stopped")
        add(checking.stores_away(world), 30)
    return told


@dataclass(frozen=True)
class _Fact:
    """A line of the table: its title, and how a way's cell is said."""

    title: str
    figure: str
    unit: str = ""


_FACTS = (
    _Fact("CPU of a check, in the service that checks", "CPU µs of the consumer", " µs"),
    _Fact("CPU of a check, in authsvc, Redis and Postgres", "CPU µs of authsvc and its stores", " µs"),
    _Fact("time of a check, p50", "p50 µs", " µs"),
    _Fact("time of a check, p99", "p99 µs", " µs"),
    _Fact("the token, in every request of a user", "token bytes", " bytes"),
    _Fact("on the wire for a check, both directions", "bytes of a check", " bytes"),
    _Fact("rows of a session", "rows of a session"),
    _Fact("a session in Postgres, with indexes", "bytes of a session", " bytes"),
    _Fact("a logout is seen after", "logout seen after s", " s"),
    _Fact("Redis away", "Redis away"),
    _Fact("Postgres away", "Postgres away"),
    _Fact("both away", "both away"),
)


def as_table(told: Mapping[str, Told]) -> str:
    """Return the facts in lines, the ways in columns."""
    rows = [[fact.title, *(_cell(name, told[name], fact) for name in NAMES)] for fact in _FACTS]
    return table(("", *NAMES), rows)


def _cell(name: str, told: Told, fact: _Fact) -> str:
    value = told[fact.figure]
    if isinstance(value, str):
        return value
    if fact.figure == "logout seen after s":
        if name == LOCAL:
            return f"{value:.1f} s, with tokens that live {SHORT_LIFE} s: up to {_DEFAULT_LIFE} s by default"
        return "the next check" if value < 0.05 else f"{value:.2f} s"
    return f"{number(value)}{fact.unit}" if value else "none"


def as_picture(told: Mapping[str, Told]) -> str:
    """Return the CPU of a check, here and there together, as bars."""
    costs = {
        name: float(told[name]["CPU µs of the consumer"])
        + float(told[name]["CPU µs of authsvc and its stores"])
        for name in NAMES
    }
    rows = [
        Bar(name, cost, f"{number(cost)} µs; p50 {number(float(told[name]['p50 µs']))} µs")
        for name, cost in costs.items()
    ]
    legend = (
        "in the service that checks, in authsvc and in its stores together; p50: how long the check takes"
    )
    return bars("What a check costs, in µs of CPU", legend, rows, most=max(costs.values()))


if __name__ == "__main__":
    sys.exit(main())
