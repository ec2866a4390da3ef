"""The jobs of an instance: what it does beside its requests, and how often."""

from authsvc.background import Job
from authsvc.wiring import Services

RELOAD_SECONDS = 5
"""How often an instance looks for keys and audiences that others have made."""

KEYS_SECONDS = 10
"""How often an instance looks whether a signing key is to be rotated."""

PURGE_LIMIT_SECONDS = 600
"""How long one turn of clean-up may take, its rests among it."""

CLOCK_SECONDS = 10
"""How often it compares its clock with the database's."""

COSTS_SECONDS = 600
"""How often it looks what the stored password hashes cost."""

LOOK_SECONDS = 0.5
"""How often it looks whether the denylist is whole, delivers what is marked, and counts guesses in Redis."""


def jobs(services: Services) -> list[Job]:
    """Return what an instance does beside its requests."""
    found = [
        Job("reload", RELOAD_SECONDS, services.reload),
        Job("signing keys", KEYS_SECONDS, services.key_rotation.turn),
        Job("hash costs", COSTS_SECONDS, services.accounts.learn_hash_costs),
    ]
    upkeep = services.stores.upkeep
    if upkeep is not None:
        found.append(Job("denylist", LOOK_SECONDS, upkeep.look, wake=upkeep.denylist.needs_look))
        found.append(Job("guess counters", LOOK_SECONDS, services.stores.guess_counters.look))
    if services.clean_up.every:
        every = services.clean_up.every.total_seconds()
        found.append(Job("purge", every, services.clean_up.turn, limit=PURGE_LIMIT_SECONDS))
    if services.timekeeper is not None:
        found.append(Job("clock", CLOCK_SECONDS, services.timekeeper.turn))
    return found
