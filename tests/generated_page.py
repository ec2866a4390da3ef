"""A page of the repository that is made from the code."""

import sys
from pathlib import Path

from tests.suite_index import ROOT


def write_or_print(page: Path, text: str, arguments: list[str]) -> None:
    """Write *text* to *page* where the arguments say `--write`; print it where there are none."""
    if arguments == ["--write"]:
        (ROOT / page).write_text(text, encoding="utf-8")
    elif arguments:
        sys.exit("usage: python -m tests.NAME_OF_THE_PAGE [--write]")
    else:
        sys.stdout.write(text)


def table(*rows: tuple[str, ...]) -> str:
    """Return a Markdown table; the first row is its head."""
    head, *body = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body]) + "\n"
