"""How much a flood slows the others down: `make flood` (T="opaque 20": that format, 20 s each).

Eight good connections ask about a live token, 100 times a second in all: alone, then beside a flood of each
kind at a steady 500 requests a second, and beside 300 idle connections. Exit status 1: a target was missed.
"""

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

from benchmarks import floods, steady
from benchmarks.stage import Stage, open_stage
from benchmarks.steady import Outcome, Plan

GOOD_CONNECTIONS, GOOD_RATE = 8, 100
# So many that those whose passwords wait to be hashed do not hold up the rest of the flood.
FLOOD_CONNECTIONS, FLOOD_RATE = 400, 500
IDLE = "300 idle connections"
IDLE_CONNECTIONS = 300
HEAD_START = 1.0

MEDIAN_FACTOR = 2.0
TAIL_FACTOR, TAIL_EXTRA_MS = 3.0, 5.0


@dataclass(frozen=True)
class Row:
    """The good requests, alone and beside a flood; times in milliseconds."""

    kind: str
    quiet: Outcome
    beside: Outcome
    flood: Outcome | None

    @property
    def is_within(self) -> bool:
        """Whether all were answered, and soon enough."""
        median, tail = percentiles(self.quiet)
        median_beside, tail_beside = percentiles(self.beside)
        return (
            set(self.beside.statuses) == {200}
            and median_beside <= MEDIAN_FACTOR * median
            and tail_beside <= TAIL_FACTOR * tail + TAIL_EXTRA_MS
        )

    def __str__(self) -> str:
        (median, tail), (median_beside, tail_beside) = percentiles(self.quiet), percentiles(self.beside)
        sent = "" if self.flood is None else f"{self.flood.rate:.0f}/s {counts(self.flood)}"
        return (
            f"{self.kind:<21} {median:>6.2f} {tail:>7.2f}   {median_beside:>6.2f} {tail_beside:>7.2f}   "
            f"{median_beside / median:>5.2f} {tail_beside / tail:>6.2f}   "
            f"{'within' if self.is_within else 'MISSED'}   {counts(self.beside)}   {sent}"
        )


HEADING = (
    f"{'':<21} {'quiet, ms':^14}   {'beside, ms':^14}   {'ratio':^12}\n"
    f"{'':<21} {'p50':>6} {'p99':>7}   {'p50':>6} {'p99':>7}   {'p50':>5} {'p99':>6}   "
    "target   good answers   flood"
)


def percentiles(outcome: Outcome) -> tuple[float, float]:
    """Return the median and the 99th percentile in milliseconds."""
    cuts = statistics.quantiles(outcome.times, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[98] * 1000


def counts(outcome: Outcome) -> str:
    """Return how many answers there were of each status."""
    return ", ".join(f"{count}x {status or 'none'}" for status, count in sorted(outcome.statuses.items()))


class Measurement:
    """The good requests on one stage, in a process apart from that of a flood."""

    def __init__(self, stage: Stage, seconds: float, processes: ProcessPoolExecutor) -> None:
        self._stage = stage
        self._seconds = seconds
        self._processes = processes

    def measure(self, kind: str) -> Row:
        """Measure alone, and then beside a flood of this kind."""
        say(f"  {kind}: {self._seconds:.0f} s quiet …")
        quiet = self._good()
        say(f"  {kind}: {self._seconds:.0f} s beside …")
        if kind == IDLE:
            port, seconds = self._stage.server.port, self._seconds + HEAD_START
            idle = self._processes.submit(steady.hold_idle, port, IDLE_CONNECTIONS, seconds)
            beside = self._beside(idle)
            idle.result()
            return Row(kind, quiet, beside, None)
        flood = self._processes.submit(steady.send, self._flood(floods.KINDS[kind]))
        beside = self._beside(flood)
        return Row(kind, quiet, beside, flood.result())

    def warm_up(self) -> None:
        """Ask for a while, and do not look."""
        self._good()

    def _beside(self, flood: "Future[Outcome] | Future[None]") -> Outcome:
        time.sleep(HEAD_START)
        if flood.done():
            flood.result()
        return self._good()

    def _good(self) -> Outcome:
        stage = self._stage
        ask = floods.request(
            "POST",
            "/introspect",
            floods.basic(stage.client_id, stage.client_secret),
            body=f"token={stage.access_token}",
        )
        plan = Plan(stage.server.port, GOOD_CONNECTIONS, GOOD_RATE, self._seconds, [ask])
        return self._processes.submit(steady.send, plan).result()

    def _flood(self, make: Callable[[str], list[bytes]]) -> Plan:
        seconds = self._seconds + HEAD_START
        requests = make(self._stage.access_token)
        return Plan(self._stage.server.port, FLOOD_CONNECTIONS, FLOOD_RATE, seconds, requests)


def main(arguments: list[str]) -> int:
    """Measure all kinds and print the table."""
    token_format = arguments[0] if arguments else "jwt"
    seconds = float(arguments[1]) if len(arguments) > 1 else 15.0
    kinds = [*floods.KINDS, IDLE]
    spawn = multiprocessing.get_context("spawn")
    say(f"flood: {token_format}; about {len(kinds) * (2 * seconds + HEAD_START) + seconds + 20:.0f} s")
    with open_stage(token_format) as stage, ProcessPoolExecutor(2, mp_context=spawn) as processes:
        measurement = Measurement(stage, seconds, processes)
        measurement.warm_up()
        rows = []
        for number, kind in enumerate(kinds, 1):
            say(f"[{number}/{len(kinds)}]")
            rows.append(measurement.measure(kind))
    say(HEADING)
    for row in rows:
        say(str(row))
    say(
        f"target: p50 within {MEDIAN_FACTOR:g} times, p99 within {TAIL_FACTOR:g} times + {TAIL_EXTRA_MS:g} ms"
    )
    return 0 if all(row.is_within for row in rows) else 1


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
