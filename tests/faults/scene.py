"""Where a fault happens: the world under load, and the records that are told of it."""

import time
from dataclasses import dataclass, replace

from tests.faults.record import Notes, Record
from tests.faults.world import Pair, World


@dataclass(frozen=True)
class Scene:
    """What a fault is given."""

    world: World
    records: tuple[Record, ...]
    seconds: float
    """How long the fault is to last."""

    @property
    def notes(self) -> Notes:
        return Notes(self.records)

    def of(self, pair: Pair) -> "Scene":
        """Return the part of it that concerns one format."""
        own = tuple(record for record in self.records if record.token_format == pair.token_format)
        return replace(self, records=own)

    def hold(self, part: float = 1.0) -> None:
        """Let it last; the load goes on meanwhile."""
        time.sleep(self.seconds * part)

    def redeploy(self, pair: Pair, name: str, *, clock_off_by: int = 0, **settings: str) -> None:
        """Restart one instance in order, with these settings changed."""
        instance, notes = pair.instances[name], self.of(pair).notes
        with notes.span("instance stopped", of=name):
            if status := instance.stop():
                notes.complain(f"SIGTERM: instance {name} ended with exit status {status}")
            pair.deploy(name, **settings)
            instance.start(clock_off_by=clock_off_by)
            instance.wait()
