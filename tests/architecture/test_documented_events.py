"""docs/logs-and-metrics.md names exactly the events and the metrics that there are."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client import Counter, Gauge, Histogram

from authsvc import audit, metrics
from authsvc.sessions import EndReason

Tables = dict[str, list[list[str]]]


@pytest.fixture
def tables(repository: Path) -> Tables:
    """The rows of each table of the page, by the head of its first column."""
    found: Tables = {}
    for block in re.findall(
        r"(?:^\|.*\|\n)+", (repository / "docs/logs-and-metrics.md").read_text(), re.MULTILINE
    ):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        found[rows[0][0]] = rows[2:]
    return found


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def recorded_in(source: Path) -> set[str]:
    """The string constants of every module: an event that is recorded is among them."""
    trees = [ast.parse(path.read_text()) for path in source.rglob("*.py") if path.name != "audit.py"]
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_the_page_names_every_event_once_and_no_other(tables: Tables) -> None:
    named = [name for row in tables["event"] for name in names_in(row[0])]

    assert sorted(named) == sorted(get_args(audit.Event))


def test_every_event_is_recorded_somewhere(repository: Path) -> None:
    assert set(get_args(audit.Event)) - recorded_in(repository / "src/authsvc") == set()


def test_the_page_names_every_reason_for_which_a_session_ends(tables: Tables) -> None:
    [row] = [row for row in tables["event"] if names_in(row[0]) == ["session_ended"]]

    assert sorted(names_in(row[1])) == sorted(["reason", *get_args(EndReason)])


def test_the_page_names_every_metric_with_its_labels_and_no_other(tables: Tables) -> None:
    # The names under which Prometheus finds them: a counter's ends in `_total`.
    there = {
        metric._name + ("_total" if isinstance(metric, Counter) else ""): list(metric._labelnames)  # noqa: SLF001 - told nowhere else
        for metric in vars(metrics).values()
        if isinstance(metric, Counter | Gauge | Histogram)
    }

    named = {
        names_in(row[0])[0]: names_in(row[1].partition(":")[0]) or names_in(row[1])
        for row in tables["metric"]
    }
    assert named == there


def test_the_page_names_every_store_that_errors_are_counted_of(tables: Tables, repository: Path) -> None:
    sources = "".join(path.read_text() for path in (repository / "src/authsvc").rglob("*.py"))
    counted = set(re.findall(r'STORE_ERRORS\.labels\("([^"]+)"\)', sources))

    [row] = [row for row in tables["metric"] if "authsvc_store_errors_total" in row[0]]
    assert set(names_in(row[1].partition(":")[2])) == counted
