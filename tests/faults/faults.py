"""Every fault that the service is put through: its name, what is done, and for how long."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.faults import instance_faults, key_faults, postgres_faults, redis_faults
from tests.faults.scene import Scene


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong in the world, and is over after some seconds."""

    name: str
    act: Callable[[Scene], None]
    seconds: float
    quick_seconds: float = 0.0
    """For `make test`; 0 leaves it to `make faults`."""

    @property
    def title(self) -> str:
        return (self.act.__doc__ or "").partition("\n")[0]


FAULTS = (
    Fault("redis-flushed", redis_faults.flushed, 6, 1.5),
    Fault("redis-killed", redis_faults.killed_and_started_empty, 5, 0.5),
    Fault("redis-old-snapshot", redis_faults.started_from_an_old_snapshot, 8, 2),
    Fault("redis-stopped", redis_faults.stopped, 10),
    Fault("redis-frozen", redis_faults.frozen, 10),
    # Longer than anything that is told again to a new connection only because it is recent.
    Fault("redis-failover", redis_faults.failed_over_and_back, 70, 1),
    Fault("redis-cut-off", redis_faults.one_instance_cut_off, 10, 2),
    Fault("redis-two-primaries", redis_faults.two_primaries, 20),
    Fault("postgres-killed", postgres_faults.killed, 5),
    Fault("postgres-frozen", postgres_faults.frozen, 15),
    Fault("postgres-restored", postgres_faults.restored, 60),
    Fault("both-away", postgres_faults.both_away, 5, 1),
    Fault("away-in-turn", postgres_faults.away_in_turn, 6, 2),
    Fault("instance-killed", instance_faults.killed, 5, 0.5),
    Fault("instance-terminated", instance_faults.terminated, 5, 0.1),
    Fault("signing-keys-rotated", key_faults.signing_keys_rotated, 5),
    Fault("secret-keys-rotated", key_faults.secret_keys_rotated, 3),
    Fault("signing-key-revoked", key_faults.signing_key_revoked, 8, 1),
    Fault("clock-off", instance_faults.clock_off, 12),
)
QUICK = tuple(fault for fault in FAULTS if fault.quick_seconds)


def choose(names: Sequence[str]) -> list[Fault]:
    """Return the faults of these names, all where none is named.

    Raises:
        ValueError: a name is no fault's.
    """
    known = {fault.name: fault for fault in FAULTS}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no fault is called {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names] or list(FAULTS)
