"""Write what was measured: a table, the figures of every round, and a picture."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.picture import Bar, bars
from benchmarks.results import Results, Row
from benchmarks.side import commit
from benchmarks.table import comparison_table, figures_table, goals_table, number
from benchmarks.work import Length, Work

_SHARES = ("rate / echo", "rate / raw hashes", "rate / quiet")
_LEGEND = "bar: the service; stroke: the goal; thin: the best of three other servers; orange: missed"


def describe(length: Length, found: dict[str, str], doubts: Sequence[str]) -> str:
    """Return on what, and how long, it was measured, and why not to believe it."""
    facts = ", ".join(f"{name} {value}" for name, value in found.items())
    return (
        "".join(f"**{doubt}** " for doubt in doubts)
        + f"Commit {commit()}; medians of {length.rounds} rounds, windows of {length.seconds:g} s, "
        f"{length.tokens:,} tokens, {length.logins:,} logins; {facts}. "
        "What each line means: [docs/benchmarks.md](../docs/benchmarks.md)."
    )


def summary(results: Results, works: Sequence[Work], about: str) -> str:
    """Return the whole page."""
    rows = list(results.rows(works))
    goals = [row for row in rows if row.is_reached is not None]
    reached = sum(bool(row.is_reached) for row in goals)
    failed = "".join(
        f"\n**{name} failed**: {reason.splitlines()[0]}\n" for name, reason in results.failures.items()
    )
    return (
        f"# What the service costs\n\n{about}\n{failed}\n{goals_table(rows)}\n\n"
        f"{reached} of {len(goals)} goals are reached.\n\n"
        f"## Every figure\n\n{figures_table(results, works)}\n"
    )


def section(results: Results, works: Sequence[Work], doubts: Sequence[str]) -> str:
    """Return what the README says: the picture, and how much of it is as it should be."""
    goals = [row for row in results.rows(works) if row.is_reached is not None]
    reached = sum(bool(row.is_reached) for row in goals)
    return (
        "![Requests a second, as a share of the reference beside it](benchmarks/results.svg)\n\n"
        + "".join(f"**{doubt}** " for doubt in doubts)
        + f"{reached} of {len(goals)} goals are reached; every figure is in "
        "[benchmarks/results.md](benchmarks/results.md)."
    )


def comparison(then: Results, now: Results, works: Sequence[Work], names: tuple[str, str], about: str) -> str:
    """Return the page that pairs two commits."""
    return f"# Two commits\n\n{about}\n\n{comparison_table(then, now, works, names)}\n"


def picture(rows: Sequence[Row]) -> str:
    """Return the lines that are shares of a reference, as bars."""
    shown = [
        Bar(
            label=row.line.work,
            value=row.figure,
            text=f"{number(row.figure)} of {row.line.measure.partition(' / ')[2]}",
            goal=row.line.goal.bound,
            peer=row.line.best_peer,
            is_missed=not row.is_reached,
        )
        for row in rows
        if row.line.measure in _SHARES and row.figure is not None and row.line.goal is not None
    ]
    return bars("Requests a second, as a share of the reference beside it", _LEGEND, shown)


def as_json(results: Sequence[Results], names: Sequence[str], length: Length, found: dict[str, str]) -> str:
    """Return the figures of every round."""
    whole = {
        "commit": commit(),
        "machine": found,
        "length": asdict(length),
        "rounds": {name: result.rounds for name, result in zip(names, results, strict=True)},
        "failures": {name: result.failures for name, result in zip(names, results, strict=True)},
    }
    return json.dumps(whole, indent=1) + "\n"


def write(folder: Path, name: str, **texts: str) -> list[Path]:
    """Write one file for each suffix; return them."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for suffix, text in texts.items():
        files.append(folder / f"{name}.{suffix}")
        files[-1].write_text(text)
    return files
