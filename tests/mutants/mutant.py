"""One mutant, as its TOML file describes it, and what can be wrong with it before it is tried."""

import ast
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path

from tests.promises import read_promises
from tests.suite_index import ROOT, read_suite

FOLDER = Path("tests/mutants")
# What breaks a promise is the service; an edited test would prove nothing.
BREAKABLE = ("src/", "alembic/")
NONE_FOUND = f"no mutant found: {FOLDER}/ holds no *.toml with a [[mutant]], so no promise is proven by one"


@dataclass(frozen=True)
class Mutant:
    """A small edit that breaks a promise, the test that notices and one that does not mind."""

    name: str
    promise: str
    breaks: str
    file: str
    old: str
    new: str
    test: str
    neighbour: str

    def applied_to(self, text: str) -> str:
        """Return *text* with the edit made.

        Raises:
            ValueError: the text to replace does not stand there exactly once.
        """
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"its `old` stands {count} times in {self.file}, not once")
        return text.replace(self.old, self.new)

    def problems(self, root: Path) -> list[str]:
        """Say what is wrong with this mutant, by looking at the checkout alone."""
        suite, promises = read_suite(root), {promise.id for promise in read_promises(root)}
        found = [f"{node} is no test" for node in (self.test, self.neighbour) if not suite.has(node)]
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name):
            found.append("a name is made of small letters, digits and hyphens")
        if self.promise not in promises:
            found.append(f"no promise is called {self.promise!r}")
        if self.old == self.new:
            found.append("it changes nothing")
        if self.test == self.neighbour:
            found.append("its test is its own neighbour")
        if not self.file.startswith(BREAKABLE) or not (root / self.file).is_file():
            found.append(f"{self.file} is no file below {' or '.join(BREAKABLE)}")
            return found
        try:
            broken = self.applied_to((root / self.file).read_text(encoding="utf-8"))
            if self.file.endswith(".py"):
                ast.parse(broken)
        except (ValueError, SyntaxError) as error:
            found.append(str(error))
        return found


def read_mutants(root: Path = ROOT) -> list[Mutant]:
    """Read every mutant of the checkout, file by file.

    Raises:
        ValueError: a file is no TOML, or an entry lacks a field, has one too many, or one that is no text.
    """
    return [
        _mutant(path, entry) for path in sorted((root / FOLDER).glob("*.toml")) for entry in _entries(path)
    ]


def _entries(path: Path) -> list[dict[str, object]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name}: {error}") from error
    if document.keys() != {"mutant"}:
        raise ValueError(f"{path.name}: holds something else than [[mutant]] entries")
    return list(document["mutant"])


def _mutant(path: Path, entry: dict[str, object]) -> Mutant:
    expected = {field.name for field in fields(Mutant)}
    texts = {name: value for name, value in entry.items() if isinstance(value, str)}
    if odd := sorted(texts.keys() ^ expected | entry.keys() - texts.keys()):
        raise ValueError(
            f"{path.name}, {entry.get('name', 'no name')}: missing, unknown or no text: {', '.join(odd)}"
        )
    return Mutant(**texts)


def find_problems(root: Path = ROOT) -> list[str]:
    """Say everything that keeps the mutants from being tried; nothing when all is well."""
    try:
        mutants = read_mutants(root)
    except ValueError as error:
        return [str(error)]
    if not mutants:
        return [NONE_FOUND]
    names = Counter(mutant.name for mutant in mutants)
    found = [f"{name}: {count} mutants have this name" for name, count in names.items() if count > 1]
    return found + [f"{mutant.name}: {problem}" for mutant in mutants for problem in mutant.problems(root)]
