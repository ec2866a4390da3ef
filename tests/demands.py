"""`docs/demands.md` and the tests that show its rows: reads, checks and writes the column "shown by".

`python -m tests.demands` checks; with `--write` it fills the column from the markers first.
"""

import re
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tests.suite_index import ROOT, SuiteIndex, read_suite

PAGE = Path("docs/demands.md")
PARTS = ("attack", "failure")
# Rows cannot vanish unnoticed: a demand is met, said to come, or missing, never gone.
ROWS_PER_GROUP = {
    "O": 35,
    "I": 15,
    "V": 11,
    "D": 10,
    "JP": 8,
    "J": 19,
    "S": 18,
    "A": 29,
    "N": 5,
    "F": 14,
    "X": 13,
}
OVER_HTTP = ("tests/api/", "tests/contract/", "tests/faults/", "tests/processes/")
_COMES_WITH = "comes with: "
_ROW = re.compile(r"\| [A-Z]{1,2}-\d\d \|")
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Demand:
    """One row of the page; `before` is its line up to the last column."""

    id: str
    before: str
    shown: tuple[str, ...]
    part: str | None

    @classmethod
    def read(cls, line: str) -> Self:
        """Read a row of the page. The last cell holds `paths` in backticks or names a part."""
        cells = _BETWEEN_CELLS.split(line.strip().removeprefix("|").removesuffix("|"))
        last = cells[-1].strip()
        part = last.removeprefix(_COMES_WITH) if last.startswith(_COMES_WITH) else None
        return cls(
            id=cells[0].strip(),
            before="|" + "|".join(cells[:-1]) + "|",
            shown=tuple(re.findall(r"`([^`]+)`", last)),
            part=part,
        )

    @property
    def group(self) -> str:
        """The letters before the number."""
        return self.id.partition("-")[0]

    def filled(self, suite: SuiteIndex) -> "Demand":
        """Return the row as the markers would have it; the files a row X names by hand are kept."""
        by_hand = [path for path in self.shown if "::" not in path] if self.group == "X" else []
        shown = (*suite.shown_by(self.id), *by_hand)
        return replace(self, shown=shown, part=None if shown else self.part)

    def __str__(self) -> str:
        """Return the row as the page has it."""
        cell = "<br>".join(f"`{path}`" for path in self.shown) or (self.part and _COMES_WITH + self.part)
        return f"{self.before} {cell} |" if cell else f"{self.before} |"

    def problems(self, root: Path, suite: SuiteIndex) -> list[str]:
        """Say what is wrong with this row as it stands."""
        found = [f"{self.id}: {path} does not exist" for path in self.shown if not _exists(path, root, suite)]
        if self.part and self.part not in PARTS:
            found.append(f"{self.id}: no part is called {self.part!r}; there are {', '.join(PARTS)}")
        if not self.shown and not self.part:
            found.append(f'{self.id}: no test shows it. Mark one: @pytest.mark.demand("{self.id}")')
        elif self.shown and self.group != "X" and not any(path.startswith(OVER_HTTP) for path in self.shown):
            found.append(f"{self.id}: no test shows it over HTTP ({', '.join(OVER_HTTP)})")
        if str(self) != str(self.filled(suite)):
            found.append(f"{self.id}: stale; run: python -m tests.demands --write")
        return found


def _exists(path: str, root: Path, suite: SuiteIndex) -> bool:
    return suite.has(path) if "::" in path else (root / path.partition("#")[0]).exists()


def read_demands(root: Path = ROOT) -> list[Demand]:
    """Read every row of the page."""
    lines = (root / PAGE).read_text(encoding="utf-8").splitlines()
    return [Demand.read(line) for line in lines if _ROW.match(line)]


def find_problems(root: Path = ROOT) -> list[str]:
    """Say everything that is wrong between the page and the tests; nothing when all is well."""
    suite, demands = read_suite(root), read_demands(root)
    ids = Counter(demand.id for demand in demands)
    found = [f"{name}: {count} rows have this number" for name, count in ids.items() if count > 1]
    rows = Counter(demand.group for demand in demands)
    found += [
        f"{group}: {rows[group]} rows in {PAGE}, {ROWS_PER_GROUP.get(group, 0)} in ROWS_PER_GROUP"
        for group in sorted(rows.keys() | ROWS_PER_GROUP.keys())
        if rows[group] != ROWS_PER_GROUP.get(group, 0)
    ]
    for case in suite.cases:
        found += [f"{case.node_id}: no row is called {name}" for name in case.demands if name not in ids]
    for demand in demands:
        found += demand.problems(root, suite)
    return [*suite.problems, *found]


def write(root: Path = ROOT) -> None:
    """Fill the column "shown by" from the markers."""
    page, suite = root / PAGE, read_suite(root)
    lines = page.read_text(encoding="utf-8").splitlines()
    filled = [str(Demand.read(line).filled(suite)) if _ROW.match(line) else line for line in lines]
    page.write_text("\n".join(filled) + "\n", encoding="utf-8")


def summary(root: Path = ROOT) -> str:
    """How many rows are built, how many come in which part, how many are missing; one line."""
    demands = read_demands(root)
    built = sum(1 for demand in demands if demand.shown)
    coming = Counter(demand.part for demand in demands if demand.part and not demand.shown)
    parts = ", ".join(f"{part} {coming[part]}" for part in sorted(coming.keys() | set(PARTS)))
    missing = len(demands) - built - coming.total()
    return f"demands: {built} built, {coming.total()} to come ({parts}), {missing} missing"


def main(arguments: list[str]) -> int:
    """Write the column if asked to, then check it."""
    if arguments not in ([], ["--write"]):
        sys.stderr.write("usage: python -m tests.demands [--write]\n")
        return 2
    if arguments:
        write()
    problems = find_problems()
    sys.stdout.write("".join(f"{line}\n" for line in [*problems, summary()]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
