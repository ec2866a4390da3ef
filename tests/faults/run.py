"""Put the service through every fault, under load, in both formats: `python -m tests.faults.run [NAME...]`.

Exit status 0: nothing was wrong, and every load was large enough. 1: else. 2: it could not be tried. The
records stay in `build/faults/`, one line of JSON for each answer.
"""

import sys

from tests.faults.faults import Fault, choose
from tests.faults.instance import NoCompiler
from tests.faults.table import table
from tests.faults.trial import WHOLE, Outcome, try_fault
from tests.faults.world import World, open_world
from tests.fixtures.processes import ServerUnavailable
from tests.suite_index import ROOT

RECORDS = ROOT / "build" / "faults"
# Twice the longest time between two tries of an honest client: a 503 within 2 s, and a pause.
OVERLAP_SECONDS = 5
EVIDENCE_LINES = 5


def main(names: list[str]) -> int:
    """Try the faults and print the table."""
    try:
        faults = choose(names)
        with open_world(overlap=OVERLAP_SECONDS) as world:
            head = f"{world.versions()}; two instances for each format, overlap {world.overlap} s"
            _say(f"{head}; {len(faults)} faults")
            outcomes = [outcome for fault in faults for outcome in _try(world, fault)]
    except (ValueError, ServerUnavailable, NoCompiler) as error:
        _say(str(error))
        return 2
    _say(f"\n{head}\n\n{table([outcome.figures for outcome in outcomes])}\n")
    bad = [outcome for outcome in outcomes if outcome.findings.wrong or not outcome.is_enough]
    _say(f"{len(outcomes) - len(bad)} of {len(outcomes)} hold")
    return 1 if bad else 0


def _try(world: World, fault: Fault) -> list[Outcome]:
    _say(f"\n{fault.name}: {fault.title}")
    outcomes = try_fault(world, fault, WHOLE, fault.seconds)
    for outcome in outcomes:
        path = RECORDS / f"{fault.name}-{outcome.record.token_format}.jsonl"
        outcome.record.write(path)
        _say(summary(outcome))
    return outcomes


def summary(outcome: Outcome) -> str:
    """What one format came to, with the first of what was wrong."""
    figures = outcome.figures
    rate = figures.answers / max(1.0, figures.seconds)
    counted = f"{figures.answers:,} answers ({rate:.0f}/s), {figures.ends} ends, {figures.unavailable} 503s"
    judged = f"{figures.wrong} wrong, {figures.apart} apart"
    times = f"longest outage {figures.outage}, recovered after {figures.recovery:.1f} s"
    lines = [f"  {figures.token_format:<6} {counted}, {judged}, {times}"]
    if not outcome.is_enough:
        lines.append("         too little load to prove anything")
    lines += [f"         {violation}" for violation in outcome.findings.wrong[:EVIDENCE_LINES]]
    return "\n".join(lines)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
