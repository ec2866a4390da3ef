"""Try every mutant: `python -m tests.mutants.run [NAME or PROMISE...]`.

Exit status 0: each was caught. 1: one was not. 2: they could not be tried.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.mutants.copied_checkout import CopiedCheckout, Ending, SuiteCrashedError
from tests.mutants.mutant import Mutant, find_problems, read_mutants
from tests.mutants.witness import ASSERTION, CRASH, PASSED
from tests.suite_index import ROOT

CAUGHT = "caught"
# All named tests together, before anything is broken.
BASELINE_LIMIT_SECONDS = 1200


def choose(mutants: list[Mutant], names: list[str]) -> list[Mutant]:
    """Return the mutants that *names* picks by their own name or their promise's; all when it is empty.

    Raises:
        ValueError: a name picks none.
    """
    known = {name for mutant in mutants for name in (mutant.name, mutant.promise)}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no mutant or promise with a mutant is called {', '.join(unknown)}")
    return [mutant for mutant in mutants if not names or {mutant.name, mutant.promise} & set(names)]


def find_red(mutants: list[Mutant], checkout: CopiedCheckout) -> list[str]:
    """Run every test the mutants name on unbroken code and say which are not green."""
    nodes = sorted({node for mutant in mutants for node in (mutant.test, mutant.neighbour)})
    try:
        endings = checkout.run_tests(nodes, BASELINE_LIMIT_SECONDS)
    except SuiteCrashedError as error:
        return [str(error)]
    red = [f"{ending.node}: {ending.why}" for ending in endings if ending.verdict != PASSED]
    return red + [f"{node}: did not run" for node in nodes if not _of(node, endings)]


def attempt(mutant: Mutant, number: int, checkout: CopiedCheckout) -> str:
    """Break the copy and return what happened: `caught`, or why not."""
    text = mutant.applied_to((checkout.tree / mutant.file).read_text(encoding="utf-8"))
    with checkout.edited(mutant.file, text, number):
        try:
            endings = checkout.run_tests([mutant.test, mutant.neighbour])
        except SuiteCrashedError as error:
            return f"a crash, no mutant: {error}"
    return judge(_of(mutant.test, endings), _of(mutant.neighbour, endings))


def judge(test: list[Ending], neighbour: list[Ending]) -> str:
    """Return `caught`, or why these endings do not prove that the test notices the mutant."""
    if not test or not neighbour:
        return "its test or its neighbour did not run"
    for ending in test:
        if ending.verdict == CRASH:
            return f"a crash, no mutant: {ending.node}: {ending.why}"
    for ending in neighbour:
        if ending.verdict != PASSED:
            return f"its neighbour is red too: {ending.node}: {ending.why}"
    return CAUGHT if any(ending.verdict == ASSERTION for ending in test) else "not noticed: its test is green"


def _of(node: str, endings: list[Ending]) -> list[Ending]:
    """Return the endings of *node*, of all its parameters if it names none."""
    return [ending for ending in endings if ending.node == node or ending.node.startswith(f"{node}[")]


def try_all(mutants: list[Mutant], checkout: CopiedCheckout, say: Callable[[str], object]) -> int:
    """Try one after another and return how many were not caught."""
    missed = 0
    for number, mutant in enumerate(mutants, 1):
        began = perf_counter()
        result = attempt(mutant, number, checkout)
        missed += result != CAUGHT
        took = perf_counter() - began
        say(f"[{number:>3}/{len(mutants)}] {mutant.promise:<4}{mutant.name}: {result} ({took:.1f} s)")
        if result != CAUGHT:
            say(f"          {mutant.breaks}")
    return missed


def main(arguments: list[str]) -> int:
    """Check, run the named tests unbroken, then try each mutant."""
    if problems := find_problems():
        _say("\n".join(problems))
        return 2
    try:
        mutants = choose(read_mutants(), arguments)
    except ValueError as error:
        _say(str(error))
        return 2
    with TemporaryDirectory(prefix="authsvc-mutants-") as folder:
        try:
            checkout = CopiedCheckout.make(ROOT, Path(folder))
        except (OSError, subprocess.CalledProcessError) as error:
            _say(f"mutants are made in a copy of what git lists, and git cannot list it: {error}")
            return 2
        began = perf_counter()
        if red := find_red(mutants, checkout):
            _say("red before anything was broken:\n" + "\n".join(red))
            return 2
        _say(f"unbroken: every named test is green ({perf_counter() - began:.1f} s)")
        missed = try_all(mutants, checkout, _say)
    _say(f"mutants: {len(mutants) - missed} caught, {missed} not")
    return 1 if missed else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
