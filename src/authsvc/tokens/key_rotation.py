"""Make, rotate and withdraw signing keys. There is always one key published and not yet used."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from jose import jwk

from authsvc import audit
from authsvc.clock import Clock
from authsvc.errors import OperatorError
from authsvc.storage import signing_keys
from authsvc.storage.database import Database, Transaction
from authsvc.storage.delivery import Delivery
from authsvc.storage.denial import LONGEST_LIFE, Denial
from authsvc.storage.signing_keys import StoredKey
from authsvc.tokens.key_material import KeyMaterial
from authsvc.tokens.keys import thumbprint

PROPAGATION = timedelta(seconds=15)
"""How long other instances may take to publish a new key, beyond what caches may keep the JWKS."""


@dataclass(frozen=True)
class KeyRotation:
    """Changes the keys in the database; every instance's ring follows."""

    database: Database
    delivery: Delivery
    material: KeyMaterial
    algorithm: str
    jwks_max_age: timedelta
    clock: Clock

    async def ensure(self) -> None:
        """Make the first key and the waiting one where they are missing.

        Two instances at first start make one of each: a position is taken once.
        """
        now = self.clock()
        async with self.database.transaction() as tx:
            keys = await signing_keys.every(tx, for_update=True)
            if not keys:
                await signing_keys.add(tx, self._new(1, now, signs_from=now))
                await signing_keys.add(tx, self._new(2, now))
            elif self._waiting(keys) is None:
                await signing_keys.add(tx, self._new(keys[-1].position + 1, now))

    async def every(self) -> list[StoredKey]:
        """Return all keys, oldest first."""
        async with self.database.reading() as tx:
            return await signing_keys.every(tx)

    async def rotate(self) -> StoredKey:
        """Let the waiting key sign once every cache has it, and publish the one after it.

        Raises:
            OperatorError: the last rotation has not taken effect yet.
        """
        now = self.clock()
        async with self.database.transaction() as tx:
            keys = await signing_keys.every(tx, for_update=True)
            coming = _coming(keys, now)
            if coming is not None:
                raise OperatorError(
                    f"Key {coming.kid} takes over at {coming.signs_from:%Y-%m-%d %H:%M:%S} UTC; "
                    "rotate again after that, or withdraw a key at once with: authsvc keys revoke KID"
                )
            waiting = self._waiting(keys) or self._new(keys[-1].position + 1, now)
            known_everywhere = waiting.created_at + self.jwks_max_age + PROPAGATION
            promoted = await self._promote(tx, keys, waiting, signs_from=max(now, known_everywhere))
        audit.record("key_rotated", kid=promoted.kid)
        return promoted

    async def revoke(self, kid: str) -> StoredKey | None:
        """Withdraw a key at once: what it signed is dead, and the waiting key signs if it was current.

        Returns:
            the key that signs in its place, if it was the one.

        Raises:
            OperatorError: there is no such key.
        """
        now = self.clock()
        async with self.database.transaction() as tx:
            keys = await signing_keys.every(tx, for_update=True)
            key = next((key for key in keys if key.kid == kid), None)
            if key is None:
                raise OperatorError(f"There is no key '{kid}'; list them with: authsvc keys list")
            await signing_keys.save(tx, replace(key, revoked_at=key.revoked_at or now))
            await signing_keys.mark(tx, kid, undelivered=self.delivery.marks)
            successor = None
            if key == _signing(keys, now):
                left = [other for other in keys if other.kid != kid]
                waiting = _coming(left, now) or self._waiting(left) or self._new(keys[-1].position + 1, now)
                successor = await self._promote(tx, keys, waiting, signs_from=now)
            elif key == self._waiting(keys):
                await signing_keys.add(tx, self._new(keys[-1].position + 1, now))
        await self.delivery.deliver([Denial.of_key(kid, until=now + LONGEST_LIFE)])
        audit.record("key_revoked", kid=kid)
        return successor

    async def reencrypt(self) -> tuple[int, int]:
        """Encrypt every private key under the first secret; return how many were and were not readable."""
        done = unreadable = 0
        async with self.database.transaction() as tx:
            for key in await signing_keys.every(tx, for_update=True):
                try:
                    fresh = self.material.reencrypt(key.encrypted_private_pem)
                except InvalidToken:
                    unreadable += 1
                    continue
                await signing_keys.save(tx, replace(key, encrypted_private_pem=fresh))
                done += 1
        return done, unreadable

    async def _promote(
        self, tx: Transaction, keys: list[StoredKey], waiting: StoredKey, *, signs_from: datetime
    ) -> StoredKey:
        promoted = replace(waiting, signs_from=signs_from)
        await signing_keys.add(tx, promoted)
        await signing_keys.save(tx, promoted)
        if self._waiting([key for key in keys if key.kid != promoted.kid]) is None:
            position = max(promoted.position, keys[-1].position) + 1
            await signing_keys.add(tx, self._new(position, self.clock()))
        return promoted

    def _waiting(self, keys: list[StoredKey]) -> StoredKey | None:
        """Return the key to sign next, of the algorithm that is configured."""
        waiting = (key for key in reversed(keys) if key.signs_from is None and key.revoked_at is None)
        return next((key for key in waiting if key.algorithm == self.algorithm), None)

    def _new(self, position: int, now: datetime, *, signs_from: datetime | None = None) -> StoredKey:
        public_pem, encrypted = self.material.new_pair(self.algorithm)
        return StoredKey(
            kid=thumbprint(jwk.construct(public_pem, self.algorithm)),
            position=position,
            algorithm=self.algorithm,
            public_pem=public_pem,
            encrypted_private_pem=encrypted,
            created_at=now,
            signs_from=signs_from,
            revoked_at=None,
        )


def _signing(keys: list[StoredKey], now: datetime) -> StoredKey | None:
    started = [key for key in keys if key.signs_from and key.signs_from <= now and not key.revoked_at]
    return max(started, key=lambda key: key.signs_from or now, default=None)


def _coming(keys: list[StoredKey], now: datetime) -> StoredKey | None:
    return next((key for key in keys if key.signs_from and key.signs_from > now and not key.revoked_at), None)
