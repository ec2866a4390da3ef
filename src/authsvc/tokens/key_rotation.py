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
from authsvc.tokens import key_schedule as schedule
from authsvc.tokens.key_material import KeyMaterial
from authsvc.tokens.keys import thumbprint


@dataclass(frozen=True)
class KeyRotation:
    """Changes the keys in the database; every instance's ring follows. Without a *period* only when told."""

    database: Database
    delivery: Delivery
    material: KeyMaterial
    algorithm: str
    jwks_max_age: timedelta
    period: timedelta | None
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
            elif schedule.successor(keys, now, self.algorithm) is None:
                await signing_keys.add(tx, self._new(keys[-1].position + 1, now))

    async def turn(self) -> None:
        """Rotate if it is time, and see that a key waits; of instances that see it at once, one does it.

        Raises:
            Unavailable: the database is away.
        """
        if not self._is_anything_due(await self.every()):
            return
        promoted = None
        async with self.database.transaction() as tx:
            # Again, under the lock: another may have done it.
            keys = await signing_keys.every(tx, for_update=True)
            if self._is_due(keys):
                promoted = await self._give_date(tx, keys)
            elif schedule.waiting(keys, self.algorithm) is None:
                await signing_keys.add(tx, self._new(keys[-1].position + 1, self.clock()))
        if promoted is not None:
            audit.record("key_rotated", kid=promoted.kid, signs_from=promoted.signs_from)

    async def forget(self) -> int:
        """Delete the keys that no token needs any more; return how many.

        Raises:
            Unavailable: the database is away.
        """
        if not schedule.outlived(await self.every(), self.clock(), self.algorithm):
            return 0
        async with self.database.transaction() as tx:
            keys = await signing_keys.every(tx, for_update=True)
            over = schedule.outlived(keys, self.clock(), self.algorithm)
            await signing_keys.remove(tx, [key.kid for key in over])
        return len(over)

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
            coming = schedule.coming(keys, now)
            if coming is not None:
                raise OperatorError(
                    f"Key {coming.kid} takes over at {coming.signs_from:%Y-%m-%d %H:%M:%S} UTC; "
                    "rotate again after that, or withdraw a key at once with: authsvc keys revoke KID"
                )
            promoted = await self._give_date(tx, keys)
        audit.record("key_rotated", kid=promoted.kid, signs_from=promoted.signs_from)
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
            await signing_keys.mark(tx, kid, undelivered=self.delivery.mark)
            successor = None
            if key == schedule.signing(keys, now):
                left = [other for other in keys if other.kid != kid]
                waiting = schedule.coming(left, now) or schedule.waiting(left, self.algorithm)
                successor = await self._promote(
                    tx, keys, waiting or self._new(keys[-1].position + 1, now), signs_from=now
                )
            elif key == schedule.waiting(keys, self.algorithm):
                await signing_keys.add(tx, self._new(keys[-1].position + 1, now))
        await self.delivery.deliver([Denial.of_key(kid, until=now + LONGEST_LIFE)])
        audit.record("key_revoked", kid=kid)
        return successor

    async def needing_older_secrets(self) -> int:
        """Return how many private keys are not encrypted under the first secret; raises as `turn`."""
        keys = await self.every()
        return sum(self.material.needs_older_secret(key.encrypted_private_pem) for key in keys)

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

    def _is_anything_due(self, keys: list[StoredKey]) -> bool:
        return self._is_due(keys) or schedule.waiting(keys, self.algorithm) is None

    def _is_due(self, keys: list[StoredKey]) -> bool:
        return schedule.is_due(keys, self.clock(), algorithm=self.algorithm, period=self.period)

    async def _give_date(self, tx: Transaction, keys: list[StoredKey]) -> StoredKey:
        now = self.clock()
        waiting = schedule.waiting(keys, self.algorithm) or self._new(keys[-1].position + 1, now)
        known_everywhere = schedule.known_everywhere(waiting, self.jwks_max_age)
        return await self._promote(tx, keys, waiting, signs_from=max(now, known_everywhere))

    async def _promote(
        self, tx: Transaction, keys: list[StoredKey], waiting: StoredKey, *, signs_from: datetime
    ) -> StoredKey:
        promoted = replace(waiting, signs_from=signs_from)
        await signing_keys.add(tx, promoted)
        await signing_keys.save(tx, promoted)
        if schedule.waiting([key for key in keys if key.kid != promoted.kid], self.algorithm) is None:
            position = max(promoted.position, keys[-1].position) + 1
            await signing_keys.add(tx, self._new(position, self.clock()))
        return promoted

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
