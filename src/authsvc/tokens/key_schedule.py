"""Which key signs, which comes next, when it is time, and which nothing needs any more: no I/O."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from authsvc.storage.signing_keys import StoredKey
from authsvc.tokens.keys import RETIRED_FOR

PROPAGATION = timedelta(seconds=15)
"""How long other instances may take to publish a new key, beyond what caches may keep the JWKS."""


def signing(keys: Sequence[StoredKey], now: datetime) -> StoredKey | None:
    """Return the key that signs now."""
    started = [key for key in keys if key.signs_from and key.signs_from <= now and not key.revoked_at]
    return max(started, key=lambda key: key.signs_from or now, default=None)


def coming(keys: Sequence[StoredKey], now: datetime) -> StoredKey | None:
    """Return the key that has a date to sign from, which has not come yet."""
    return next((key for key in keys if key.signs_from and key.signs_from > now and not key.revoked_at), None)


def waiting(keys: Sequence[StoredKey], algorithm: str) -> StoredKey | None:
    """Return the key of this algorithm that is published and has no date."""
    unused = (key for key in reversed(keys) if key.signs_from is None and key.revoked_at is None)
    return next((key for key in unused if key.algorithm == algorithm), None)


def successor(keys: Sequence[StoredKey], now: datetime, algorithm: str) -> StoredKey | None:
    """Return the waiting key if it was made after the one that signs.

    An older one is left over from before the algorithm was changed. Instances that still run with the
    old setting know it, and must not bring it back.
    """
    found, current = waiting(keys, algorithm), signing(keys, now)
    return None if found and current and found.position < current.position else found


def is_due(keys: Sequence[StoredKey], now: datetime, *, algorithm: str, period: timedelta | None) -> bool:
    """Whether the waiting key is to be given a date: by the age of the one that signs, or its algorithm."""
    current = signing(keys, now)
    if period is None or current is None or current.signs_from is None or coming(keys, now) is not None:
        return False
    if successor(keys, now, algorithm) is None:
        return False
    return current.algorithm != algorithm or current.signs_from + period <= now


def known_everywhere(key: StoredKey, jwks_max_age: timedelta) -> datetime:
    """Return when no cache of the key set can lack *key* any more."""
    return key.created_at + jwks_max_age + PROPAGATION


def outlived(keys: Sequence[StoredKey], now: datetime, algorithm: str) -> list[StoredKey]:
    """Return the keys of which no token lives and none will be signed; never the newest."""
    limit = now - RETIRED_FOR
    starts = [key.signs_from for key in keys if key.signs_from is not None and key.revoked_at is None]

    def is_over(key: StoredKey) -> bool:
        if key.revoked_at is not None:
            return key.revoked_at <= limit
        if key.signs_from is None:  # left over from before the algorithm was changed
            return (
                key.algorithm != algorithm
                and key.created_at <= limit
                and waiting(keys, algorithm) is not None
            )
        return any(key.signs_from < start <= limit for start in starts)

    return [key for key in keys[:-1] if is_over(key)]
