"""The key ring of one instance: signs with the current key, verifies with any that is not revoked."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from cryptography.fernet import InvalidToken
from jose import jwk
from jose.backends.base import Key

from authsvc.clock import Clock
from authsvc.errors import Unavailable
from authsvc.storage import signing_keys
from authsvc.storage.database import Database, Transaction
from authsvc.storage.key_withdrawals import KeyWithdrawals, LatestWithdrawal
from authsvc.storage.signing_keys import StoredKey
from authsvc.tokens.key_material import KeyMaterial, Misfit, refuse_misfit

RETIRED_FOR = timedelta(hours=25)
"""How long a key is published after its successor took over: longer than any access token lives."""

_RELOAD_INTERVAL = timedelta(seconds=1)

_log = structlog.stdlib.get_logger("authsvc.tokens")


@dataclass(frozen=True)
class SigningKey:
    """One key, parsed once. `private` is None where no secret in force can decrypt it."""

    kid: str
    algorithm: str
    public: Key
    private: Key | None
    signs_from: datetime | None


class KeyRing:
    """All signing keys as this instance knows them."""

    def __init__(self, database: Database, material: KeyMaterial, clock: Clock) -> None:
        self._database = database
        self._stored = signing_keys.question(database)
        self._material = material
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._looked_at: datetime | None = None
        self._last_look_failed = False
        self._looking = asyncio.Lock()
        self._withdrawals = KeyWithdrawals(database)
        self.last_withdrawal = LatestWithdrawal(None)
        self._refreshing = asyncio.Lock()
        self._unfit: dict[str, str] = {}

    async def load(self) -> None:
        """Read the keys.

        Raises:
            Unavailable: the database is away.
        """
        async with self._looking:  # whoever misses a key meanwhile waits for what this look finds
            await self._look()

    async def _look(self) -> None:
        began = self._clock()
        try:
            rows = signing_keys.read(await self._stored.rows())
        except Unavailable:
            # Those who waited for this one need not wait as long to find the same.
            self._looked_at, self._last_look_failed = self._clock(), True
            raise
        # Not before there is an answer: a look that was given up is none, and the next one looks itself.
        self._looked_at, self._last_look_failed = began, False
        self._take(rows)

    def _take(self, rows: Sequence[StoredKey]) -> None:
        parsed = [self._parsed(row) for row in rows if row.revoked_at is None]
        # Replaced whole, so that a withdrawn key is gone with the assignment.
        self._keys = {key.kid: key for key in parsed if key is not None}
        withdrawn = [row.revoked_at for row in rows if row.revoked_at is not None]
        self.last_withdrawal = LatestWithdrawal(max(withdrawn, default=None))

    def _parsed(self, row: StoredKey) -> SigningKey | None:
        known = self._keys.get(row.kid)
        if known is not None and known.signs_from == row.signs_from and known.private is not None:
            return known
        try:
            private_pem = self._material.decrypt(row.encrypted_private_pem)
        except InvalidToken:
            private_pem = None
        try:
            refuse_misfit(row.algorithm, public_pem=row.public_pem, private_pem=private_pem)
        except Misfit as misfit:
            self._tell(row.kid, str(misfit))
            return None
        private = None if private_pem is None else jwk.construct(private_pem, row.algorithm)
        public = jwk.construct(row.public_pem, row.algorithm)
        return SigningKey(row.kid, row.algorithm, public, private, row.signs_from)

    def _tell(self, kid: str, reason: str) -> None:
        if self._unfit.get(kid) != reason:  # once, not at every look
            _log.error("signing_key_unfit", kid=kid, reason=reason)
        self._unfit[kid] = reason

    def can_sign(self) -> bool:
        """Whether some key has a private part that a secret in force decrypts."""
        return any(key.private is not None for key in self._keys.values())

    def current(self) -> SigningKey:
        """Return the key that signs now.

        Raises:
            Unavailable: none can, because the secret that encrypted it is not in force.
        """
        now = self._clock()
        started = [
            key for key in self._keys.values() if key.signs_from is not None and key.private is not None
        ]
        if not started:
            raise Unavailable("No key can sign now.", retry_after=10)
        signing = [key for key in started if key.signs_from is not None and key.signs_from <= now]
        # A clock that is behind the one that made the first key: that key, rather than none.
        return max(signing, key=_start) if signing else min(started, key=_start)

    async def signer(self, tx: Transaction) -> SigningKey:
        """Return the key that signs now; no key whose withdrawal was committed before this call.

        A token signed with such a key would be dead on arrival.

        Raises:
            Unavailable: the database is away, or as `current`.
        """
        withdrawal = await self._withdrawals.latest(tx)
        if self._is_news(withdrawal):
            await self._learn(withdrawal, tx)
        return self.current()

    async def signer_after(self, withdrawal: LatestWithdrawal) -> SigningKey:
        """Return the key that signs now; no key that was withdrawn by then. Raises as `signer`."""
        if self._is_news(withdrawal):
            # A connection comes first: who holds one may be waiting behind the lock.
            async with self._database.reading() as tx:
                await self._learn(withdrawal, tx)
        return self.current()

    async def _learn(self, withdrawal: LatestWithdrawal, tx: Transaction) -> None:
        async with self._refreshing:  # of many at once one asks, over the connection that it holds
            if self._is_news(withdrawal):
                self._take(await signing_keys.every(tx))

    def _is_news(self, withdrawal: LatestWithdrawal) -> bool:
        return self.last_withdrawal.is_before(withdrawal)

    async def find(self, kid: str) -> SigningKey | None:
        """Return the key with this id; an unknown one makes the ring look again, once a second at most.

        Raises:
            Unavailable: the id is unknown and the database is away.
        """
        if kid not in self._keys:
            async with self._looking:  # of many at once one looks, and the others see what it found
                if kid not in self._keys and self._may_look(self._clock()):
                    await self._look()
            # Whoever may not look yet must not take a look that failed for an answer.
            if kid not in self._keys and self._last_look_failed:
                raise Unavailable("The database cannot be asked for this key now.")
        return self._keys.get(kid)

    def lacks(self, kid: str, now: datetime) -> bool:
        """Whether `find` would say at once that there is none: it is not time to look again."""
        return not (
            kid in self._keys or self._last_look_failed or self._looking.locked() or self._may_look(now)
        )

    def get(self, kid: str) -> SigningKey | None:
        """Return the key with this id, if it is known here."""
        return self._keys.get(kid)

    def holds(self, kid: str) -> bool:
        """Whether this key is known here, and so not known to be withdrawn."""
        return kid in self._keys

    def _may_look(self, now: datetime) -> bool:
        return self._looked_at is None or abs(now - self._looked_at) >= _RELOAD_INTERVAL

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys (RFC 7517): those waiting, signing, and lately retired."""
        now = self._clock()
        return {"keys": [public_jwk(key) for key in published(list(self._keys.values()), now)]}


def _start(key: SigningKey) -> datetime:
    return key.signs_from or datetime.max.replace(tzinfo=UTC)


def published(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    """Return the keys that others may still need."""
    starts = sorted(key.signs_from for key in keys if key.signs_from is not None)

    def is_needed(key: SigningKey) -> bool:
        if key.signs_from is None:
            return True
        successors = [start for start in starts if start > key.signs_from]
        return not successors or successors[0] + RETIRED_FOR > now

    return [key for key in keys if is_needed(key)]


def public_jwk(key: SigningKey) -> dict[str, str]:
    """Return the public JWK of *key* with its `kid`, `alg` and `use`."""
    # `to_dict` of a private key would hold the private part.
    members = {name: str(value) for name, value in key.public.to_dict().items()}
    return members | {"kid": key.kid, "alg": key.algorithm, "use": "sig"}


def thumbprint(public: Key) -> str:
    """Return the JWK thumbprint (RFC 7638), which serves as `kid`."""
    members = public.to_dict()
    names = ("crv", "kty", "x", "y") if members["kty"] == "EC" else ("e", "kty", "n")
    canonical = json.dumps({name: members[name] for name in names}, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]
