"""The one query that asks the database the time, and what keeps the service's clock by its answers."""

import logging
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog

from authsvc.clock import SLOW, STEP, Clock, Sample, SharedClock
from authsvc.metrics import CLOCK_STEPS
from authsvc.storage.database import Database
from authsvc.storage.dialect import UtcDateTime

SAMPLES_AT_START = 5

THEIR_TIME: sa.ColumnElement[datetime] = sa.func.clock_timestamp(type_=UtcDateTime())
"""What the clock of Postgres says, in a statement that is sent for something else."""

_ASKING = sa.select(THEIR_TIME)

_log = structlog.stdlib.get_logger("authsvc.clock")


async def samples(database: Database, clock: Clock, count: int) -> list[Sample]:
    """Return *count* samples of the database's clock, their own moments told by *clock*; none on SQLite.

    Raises:
        Unavailable: the database is away.
    """
    found: list[Sample] = []
    async with database.reading() as tx:
        if tx.dialect.name != "postgresql":
            return found
        for _ in range(count):
            sent = clock()
            theirs = (await tx.execute(_ASKING)).scalar_one()
            found.append(Sample(sent, theirs, clock()))
    return found


@dataclass(frozen=True)
class Timekeeper:
    """Keeps a clock with the database's. While the database is away the clock runs on as it was."""

    database: Database
    clock: SharedClock

    async def begin(self) -> None:
        """Set the clock, before anything is judged by it. Raises as `samples`."""
        found = await samples(self.database, self.clock.source, SAMPLES_AT_START)
        if not found:
            return
        best = min(found, key=lambda sample: sample.trip)
        moved = self.clock.adjust(best)
        is_worth_knowing = best.trip > SLOW or abs(moved) >= STEP
        _log.log(
            logging.INFO if is_worth_knowing else logging.DEBUG,
            "clock_set",
            seconds=moved.total_seconds(),
            trip_seconds=best.trip.total_seconds(),
        )

    async def turn(self) -> None:
        """Correct the clock. Raises as `samples`."""
        for sample in await samples(self.database, self.clock.source, 1):
            moved = self.clock.adjust(sample)
            if abs(moved) >= STEP:
                CLOCK_STEPS.inc()
                _log.warning("clock_stepped", seconds=moved.total_seconds())
