"""docs/security.md: each attack names the defence, a test, and the mutant that turned that test red."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutants.mutant import Mutant, read_mutants
from tests.suite_index import read_suite

_ROW = re.compile(
    r"^\| (?P<attack>[^|]+) \| (?P<defence>[^|]+) \| `(?P<test>[^`|]+)` \| `(?P<mutant>[^`|]+)` \|$"
)


@dataclass(frozen=True)
class Row:
    """One attack."""

    attack: str
    test: str
    mutant: str


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs/security.md").read_text()


@pytest.fixture(scope="module")
def rows(page: str) -> list[Row]:
    matches = [match for line in page.splitlines() if (match := _ROW.match(line))]
    return [Row(match["attack"], match["test"], match["mutant"]) for match in matches]


def test_every_line_of_its_tables_is_whole(page: str, rows: list[Row]) -> None:
    lines = [line for line in page.splitlines() if line.startswith("|")]

    tables = lines.count("|---|---|---|---|")
    assert tables >= 6
    assert len(rows) == len(lines) - 2 * tables


def test_every_test_exists(repository: Path, rows: list[Row]) -> None:
    suite = read_suite(repository)

    assert [row.test for row in rows if not suite.has(row.test)] == []


def test_every_mutant_exists_and_is_the_one_that_turns_the_test_red(rows: list[Row]) -> None:
    mutants: dict[str, Mutant] = {mutant.name: mutant for mutant in read_mutants()}

    assert [row.mutant for row in rows if row.mutant not in mutants] == []
    assert [row.attack for row in rows if mutants[row.mutant].test.partition("[")[0] != row.test] == []


def test_no_attack_is_told_twice(rows: list[Row]) -> None:
    names = [row.mutant for row in rows]

    assert sorted(names) == sorted(set(names))


def test_the_links_of_the_policy_lead_somewhere(repository: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", (repository / "SECURITY.md").read_text())

    assert links
    assert [link for link in links if not (repository / link).exists()] == []
