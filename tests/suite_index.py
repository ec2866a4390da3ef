"""What tests the suite has and which demands they name, read from the source without importing it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Case:
    """One test function, with the demands its markers name (its class's and its parameters' too)."""

    node_id: str
    demands: tuple[str, ...]


@dataclass(frozen=True)
class SuiteIndex:
    """Every test below `tests/`, and what is wrong with their markers."""

    cases: tuple[Case, ...]
    problems: tuple[str, ...]

    def has(self, node_id: str) -> bool:
        """Whether *node_id* names a test; its parameters, if it names some, are not looked at."""
        return node_id.partition("[")[0] in {case.node_id for case in self.cases}

    def shown_by(self, demand: str) -> list[str]:
        """Return the node ids of the tests that name *demand*, in order."""
        return sorted({case.node_id for case in self.cases if demand in case.demands})


@cache
def read_suite(root: Path = ROOT) -> SuiteIndex:
    """Index every `test_*.py` below *root*/tests."""
    cases: list[Case] = []
    problems: list[str] = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = path.relative_to(root).as_posix()
        if "node_modules" in name:  # pytest does not look there either
            continue
        source = _Source(name, ast.parse(path.read_text(encoding="utf-8"), filename=name))
        cases += source.cases(source.tree.body, name, ())
        problems += source.problems()
    return SuiteIndex(tuple(cases), tuple(problems))


class _Source:
    """One test file. Markers found on no test are problems: they would show nothing, silently."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name = name
        self.tree = tree
        self._claimed: set[ast.AST] = set()
        self._unreadable: list[str] = []
        self._tables = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }

    def cases(self, body: list[ast.stmt], prefix: str, inherited: tuple[str, ...]) -> Iterator[Case]:
        for node in body:
            if isinstance(node, _FUNCTIONS) and node.name.startswith("test"):
                yield Case(f"{prefix}::{node.name}", inherited + self._demands(node.decorator_list))
            elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                named = inherited + self._demands(node.decorator_list)
                yield from self.cases(node.body, f"{prefix}::{node.name}", named)

    def problems(self) -> list[str]:
        strays = [
            f"{self.name}:{node.lineno}: this marker is on no test; put it above the test, its class, "
            "or in the `marks` of a parameter"
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Attribute) and _is_demand(node) and node not in self._claimed
        ]
        return self._unreadable + strays

    def _demands(self, decorators: list[ast.expr]) -> tuple[str, ...]:
        found: list[str] = []
        for call in (node for node in self._reachable(decorators) if isinstance(node, ast.Call)):
            if not _is_demand(call.func):
                continue
            self._claimed.add(call.func)
            names = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
            if not names or len(names) < len(call.args) or call.keywords:
                self._unreadable.append(f"{self.name}:{call.lineno}: a demand marker takes plain strings")
            found += map(str, names)
        return tuple(found)

    def _reachable(self, roots: list[ast.expr]) -> Iterator[ast.AST]:
        """All nodes of *roots*, and of the tables of parameters that they name."""
        waiting, seen = list[ast.AST](roots), set[str]()
        while waiting:
            for node in ast.walk(waiting.pop()):
                yield node
                if isinstance(node, ast.Name) and node.id in self._tables and node.id not in seen:
                    seen.add(node.id)
                    waiting.append(self._tables[node.id])


def _is_demand(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "pytest.mark.demand"
