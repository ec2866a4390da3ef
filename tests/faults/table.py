"""The table at the end of a run."""

from collections.abc import Sequence

from tests.faults.figures import Figures

HEADING = (
    "fault",
    "format",
    "seconds",
    "answers",
    "ends",
    "wrong",
    "apart",
    "503s",
    "longest outage",
    "recovery",
)


def table(figures: Sequence[Figures]) -> str:
    """Return the figures as a table in Markdown."""
    rows = [HEADING, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADING))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def _row(figures: Figures) -> tuple[str, ...]:
    return (
        figures.fault,
        figures.token_format,
        f"{figures.seconds:.0f}",
        f"{figures.answers:,}",
        f"{figures.ends:,}",
        str(figures.wrong),
        str(figures.apart),
        f"{figures.unavailable:,}",
        str(figures.outage),
        f"{figures.recovery:.1f} s",
    )
