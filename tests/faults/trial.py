"""One fault under load, in both formats at once: what happened, what was wrong, and the figures."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults import checker
from tests.faults.checker import Findings
from tests.faults.faults import Fault
from tests.faults.figures import Figures, count_ends
from tests.faults.load import Load
from tests.faults.record import Record, now
from tests.faults.scene import Scene
from tests.faults.world import Pair, World
from tests.fixtures.database import query

LOOK_SECONDS = 0.05
DELIVERY_SECONDS = 10
_MARKS = """
SELECT (SELECT count(*) FROM session WHERE undelivered)
     + (SELECT count(*) FROM denied_token WHERE undelivered)
"""


@dataclass(frozen=True)
class Size:
    """How much load a fault gets, in each format."""

    clients: int
    ends_before: int
    """What is there to be forgotten when the fault begins."""
    seconds_after: float
    least_seconds: float = 0.0
    least_answers: int = 0
    least_ends: int = 0
    most_seconds: float = 150.0


WHOLE = Size(
    clients=16, ends_before=30, seconds_after=6, least_seconds=20, least_answers=2_000, least_ends=100
)
LIGHT = Size(clients=8, ends_before=8, seconds_after=1.5, least_answers=150, least_ends=12)


@dataclass(frozen=True)
class Outcome:
    """What came of it in one format."""

    record: Record
    findings: Findings
    figures: Figures
    is_enough: bool
    """Whether the load was as much as it should be."""


def try_fault(world: World, fault: Fault, size: Size, seconds: float) -> list[Outcome]:
    """Put the load on, let the fault happen, wait for the world to be whole again, and judge."""
    records = tuple(Record(pair.token_format, world.overlap) for pair in world.pairs)
    loads = [
        Load(pair.target, record, clients=size.clients)
        for pair, record in zip(world.pairs, records, strict=True)
    ]
    began = now()
    scene = Scene(world, records, seconds)
    try:
        for load in loads:
            load.start()
        _wait(lambda: all(count_ends(record) >= size.ends_before for record in records), size.most_seconds)
        with scene.notes.span("fault"):
            fault.act(scene)
        time.sleep(size.seconds_after)
        _wait(lambda: all(_is_enough(record, size, began) for record in records), size.most_seconds)
    finally:
        for load in loads:
            load.stop()
    for pair in world.pairs:
        _see_that_all_was_delivered(scene, pair)
    return [_judge(fault, record, size, began) for record in records]


def _judge(fault: Fault, record: Record, size: Size, began: float) -> Outcome:
    findings = checker.check(record)
    figures = Figures.of(fault.name, record, findings)
    return Outcome(record, findings, figures, _is_enough(record, size, began))


def _see_that_all_was_delivered(scene: Scene, pair: Pair) -> None:
    """Complain of marks that stay: an instance delivers twice a second, and both have Redis again."""
    deadline = now() + DELIVERY_SECONDS
    while left := query(pair.installation.database_url, _MARKS)[0][0]:
        if now() > deadline:
            scene.of(pair).notes.complain(f"{left} denials are still marked after {DELIVERY_SECONDS} s")
            return
        time.sleep(LOOK_SECONDS)


def _is_enough(record: Record, size: Size, began: float) -> bool:
    return (
        now() - began >= size.least_seconds
        and sum(answer.status > 0 for answer in list(record.answers)) >= size.least_answers
        and count_ends(record) >= size.least_ends
    )


def _wait(is_done: Callable[[], bool], seconds: float) -> None:
    deadline = now() + seconds
    while not is_done() and now() < deadline:
        time.sleep(LOOK_SECONDS)
