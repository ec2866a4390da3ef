"""The tables, in Markdown."""

from collections.abc import Iterable, Sequence

from benchmarks.results import Results, Row
from benchmarks.work import Figures, Work


def goals_table(rows: Iterable[Row]) -> str:
    """Return one line for each row: its goal, its median, and what peers reach."""
    return table(
        ("work", "measure", "to reach", "reached", "", "peers"),
        (
            (
                row.line.work,
                row.line.measure,
                str(row.line.goal or ""),
                "failed" if row.figure is None else number(row.figure),
                {True: "yes", False: "**no**", None: ""}[row.is_reached],
                row.line.peers,
            )
            for row in rows
        ),
    )


def figures_table(results: Results, works: Sequence[Work]) -> str:
    """Return every figure that was seen, with the least and the greatest of the rounds."""
    return table(
        ("work", "figure", "median", "least", "greatest"),
        (
            (
                work.name,
                name,
                number(median),
                *(
                    number(extreme(seen.get(name, 0.0) for seen in results.rounds[work.name]))
                    for extreme in (min, max)
                ),
            )
            for work in works
            for name, median in results.medians(work.name).items()
        ),
    )


def comparison_table(then: Results, now: Results, works: Sequence[Work], names: tuple[str, str]) -> str:
    """Return every figure of two commits side by side, with what has changed."""
    return table(
        ("work", "figure", *names, "change"),
        (
            (work.name, name, number(before[name]), number(after), change(before[name], after))
            for work in works
            for before, after_all in [(then.medians(work.name), now.medians(work.name))]
            for name, after in _shared(before, after_all)
        ),
    )


def _shared(before: Figures, after: Figures) -> Iterable[tuple[str, float]]:
    return ((name, value) for name, value in after.items() if name in before)


def change(before: float, after: float) -> str:
    """Return by how much a figure has changed, in percent."""
    return "" if not before else f"{(after / before - 1) * 100:+.1f} %"


def number(value: float) -> str:
    """Return a figure with three digits that count, and never in powers of ten."""
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
