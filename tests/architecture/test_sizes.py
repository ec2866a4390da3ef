"""Files fit a reader's head and functions a screen; every exception to a tool's rule says why."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

MEDIAN_LINES = 100
MOST_LINES = 250
MOST_LINES_OF_A_FUNCTION = 40
CHECKED = ("src", "tests", "alembic", "scripts", "benchmarks")
# The marks are written apart here, or this file would hold exceptions itself.
MARK = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b.*")
EXCUSED = re.compile(
    r"# (?:noqa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*|type: ignore\[[a-z-]+(?:, ?[a-z-]+)*\]) +(?:-|#) +\S.{9,}"
)


def python_files(root: Path, *folders: str) -> list[Path]:
    found = [file for folder in folders for file in (root / folder).rglob("*.py")]
    return sorted(file for file in found if not {"node_modules", ".venv"} & set(file.parts))


def long_functions(file: Path) -> Iterator[tuple[str, bool]]:
    """Yield each function that does not fit a screen, and whether the line above it says why."""
    lines = file.read_text().splitlines()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            above = lines[first - 2].strip() if first > 1 else ""
            if length > MOST_LINES_OF_A_FUNCTION:
                says_why = re.match(r"# long: \S.{9,}", above) is not None
                yield f"{file.name}: {node.name}, {length} lines", says_why


def test_files_of_the_service_are_short(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = python_files(repository, "src")
    sizes = {str(file.relative_to(repository)): len(file.read_text().splitlines()) for file in files}
    middle = median(sizes.values())

    with capsys.disabled():
        print(f"\nsrc: {len(sizes)} files, median {middle:.0f} lines, longest {max(sizes.values())}")
    assert middle < MEDIAN_LINES
    assert {name: size for name, size in sizes.items() if size > MOST_LINES} == {}


def test_a_function_that_does_not_fit_a_screen_says_why(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = [found for file in python_files(repository, "src") for found in long_functions(file)]

    with capsys.disabled():
        print(f"\nsrc: {len(long)} functions over {MOST_LINES_OF_A_FUNCTION} lines, each with its reason")
    assert [name for name, says_why in long if not says_why] == []


def test_every_exception_to_a_rule_names_the_rule_and_a_reason(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = [
        (f"{file.relative_to(repository)}:{number}: {mark[0]}", mark[0])
        for file in python_files(repository, *CHECKED)
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (mark := MARK.search(line))
    ]

    ignores = sum("type:" in mark for _, mark in marks)
    with capsys.disabled():
        print(f"\neach with a code and a reason: {ignores} type: ignore, {len(marks) - ignores} noqa")
    assert [place for place, mark in marks if not EXCUSED.fullmatch(mark)] == []
