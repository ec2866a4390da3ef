"""`python -m benchmarks [WORK …]`: measure, and say what was reached."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks import growing, introspecting, logging_in, machine, refreshing, report, starting
from benchmarks.rounds import measure
from benchmarks.section import replace_section
from benchmarks.side import HERE, ROOT, checked_out
from benchmarks.work import Length, Work

WORKS: tuple[Work, ...] = (
    *introspecting.WORKS,
    *logging_in.WORKS,
    *refreshing.WORKS,
    *growing.WORKS,
    *starting.WORKS,
)
WHOLE = Length(rounds=9, seconds=1, logins=1_000, tokens=10_000)
SHORT = Length(rounds=2, seconds=0.5, logins=100, tokens=1_000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 if a work failed."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        works = choose(asked.works)
    except LookupError as error:
        parser.error(str(error))
    length = SHORT if asked.short else WHOLE
    if asked.rounds:
        length = Length(asked.rounds, length.seconds, length.logins, length.tokens)
    machine.demand_two_cores()
    found = machine.describe()
    doubts = machine.doubts()
    print(*doubts, sep="\n", file=sys.stderr)
    with ExitStack() as opened:
        sides = [opened.enter_context(checked_out(asked.compare))] if asked.compare else []
        sides.append(HERE)
        results = measure(works, sides, length)
    about = report.describe(length, found, doubts)
    figures = report.as_json(results, [side.name for side in sides], length, found)
    if asked.compare:
        page = report.comparison(results[0], results[1], works, (asked.compare, "here"), about)
        files = report.write(ROOT / "build/benchmarks", "compared", md=page, json=figures)
    else:
        page = report.summary(results[0], works, about)
        drawn = report.picture(list(results[0].rows(works)))
        is_whole = len(works) == len(WORKS) and length == WHOLE and not results[0].failures
        folder = ROOT / ("benchmarks" if is_whole else "build/benchmarks")
        files = report.write(folder, "results", md=page, json=figures, svg=drawn)
        if is_whole:
            replace_section(ROOT / "README.md", "benchmarks", report.section(results[0], works, doubts))
    print(page)
    print("Written:", ", ".join(str(file.relative_to(ROOT)) for file in files), file=sys.stderr)
    return 1 if any(result.failures for result in results) else 0


def choose(names: Sequence[str]) -> list[Work]:
    """Return the works with these names, or all if none is named.

    Raises:
        LookupError: there is none of a name.
    """
    known = {work.name: work for work in WORKS}
    if unknown := [name for name in names if name not in known]:
        raise LookupError(f"there is no work {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names or known]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("works", nargs="*", metavar="WORK", help=", ".join(work.name for work in WORKS))
    parser.add_argument("--compare", metavar="REV", help="pair the checkout with another commit")
    parser.add_argument("--short", action="store_true", help="few and short rounds, to see that it works")
    parser.add_argument("--rounds", type=int, help="how many rounds of each work (9)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
