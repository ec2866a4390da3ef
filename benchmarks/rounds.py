"""Do the works, one after another, each in its rounds; in a round all sides have their turn."""

import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.progress import Progress
from benchmarks.results import Results
from benchmarks.side import Side
from benchmarks.work import Length, Work
from benchmarks.world import World, open_world

_OPENING_SECONDS = 8.0


def measure(works: Sequence[Work], sides: Sequence[Side], length: Length) -> list[Results]:
    """Return what was seen, one for each side. A work that fails is noted, and the others are done."""
    results = [Results() for _ in sides]
    progress = Progress(sum(_planned(work, sides, length) for work in works))
    progress.tell("Postgres and Redis start")
    with open_world() as world:
        for work in works:
            try:
                _measure(world, work, sides, length, results, progress)
            except Exception as error:  # noqa: BLE001 - the other works are done all the same; the run fails at its end
                traceback.print_exc()
                print(f"{work.name} failed: {error}", file=sys.stderr, flush=True)
                for result in results:
                    result.failures[work.name] = f"{type(error).__name__}: {error}"
    return results


def _measure(
    world: World,
    work: Work,
    sides: Sequence[Side],
    length: Length,
    results: Sequence[Results],
    progress: Progress,
) -> None:
    rounds = 1 if work.is_once else length.rounds
    progress.tell(f"{work.name}: the services start")
    with ExitStack() as opened:
        samplers = [opened.enter_context(work.opened(world, side, length)) for side in sides]
        progress.done(_OPENING_SECONDS * len(sides))
        turns = list(zip(sides, samplers, results, strict=True))
        for number in range(rounds):
            # Who comes first has the caches of the processor for itself.
            for side, sample, result in turns if number % 2 == 0 else reversed(turns):
                named = f", {side.name}" if len(sides) > 1 else ""
                progress.tell(f"{work.name}: round {number + 1} of {rounds}{named}")
                result.add(work.name, sample())
                progress.done(work.seconds(length))


def _planned(work: Work, sides: Sequence[Side], length: Length) -> float:
    rounds = 1 if work.is_once else length.rounds
    return len(sides) * (_OPENING_SECONDS + rounds * work.seconds(length))
