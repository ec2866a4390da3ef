"""Clean-up: the service removes what is over by itself, a little at a time, one instance for all of them."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter

import structlog

from authsvc.clock import Clock
from authsvc.errors import OperatorError
from authsvc.metrics import PURGE_LAST_SUCCESS, PURGE_SECONDS, PURGED
from authsvc.secret_tokens import new_id
from authsvc.storage.leases import Lease, LeaseLost
from authsvc.storage.purge import Bookmark, Purge, Step
from authsvc.tokens.key_rotation import KeyRotation

TABLES = ("access_token", "denied_token", "session", "account", "signing_key")

WINDOWS_IN_A_TURN = 40
"""How far a turn looks through the sessions for those over by their limits: 20,000 rows."""

LEASE_LIFE = timedelta(seconds=60)
"""How long beyond its next turn a holder that died is waited for."""

_log = structlog.stdlib.get_logger("authsvc.clean_up")


@dataclass(frozen=True)
class CleanUp:
    """Purges in turns, beside the requests; or to the end at once, for the command line."""

    purge: Purge
    keys: KeyRotation
    clock: Clock
    every: timedelta
    bookmark: Bookmark = field(default_factory=Bookmark)
    holder: str = field(default_factory=lambda: str(new_id()))

    async def turn(self) -> None:
        """Remove what is over, unless another instance does; rest after each step as long as it took.

        Raises:
            Unavailable: the database is away.
        """
        lease = self.lease()
        async with self.purge.database.transaction() as tx:
            if not await lease.take(tx):
                return
        began = perf_counter()
        try:
            await self._turn(lease)
        except LeaseLost:
            _log.info("purge_handed_over")
            return
        PURGE_SECONDS.observe(perf_counter() - began)
        PURGE_LAST_SUCCESS.set(self.clock().timestamp())

    async def _turn(self, lease: Lease) -> None:
        steps = self.purge.steps(self.clock(), lease, self.bookmark, windows=WINDOWS_IN_A_TURN)
        began = perf_counter()
        async with aclosing(steps):
            async for step in steps:
                PURGED.labels(step.table).inc(step.removed)
                await asyncio.sleep(perf_counter() - began)
                began = perf_counter()
        PURGED.labels("signing_key").inc(await self.keys.forget())

    async def estimate(self) -> int:
        """Return about how many rows a whole clean-up has to look at; raises `Unavailable`."""
        return await self.purge.estimate(self.clock())

    async def whole(self, progress: Callable[[Step], None]) -> dict[str, int]:
        """Remove all that is over, without rests; return how many rows of each table.

        An instance that is amid a turn stops after its step: whoever typed the command does the rest.

        Raises:
            OperatorError: the same command was given elsewhere meanwhile.
            Unavailable: the database is away.
        """
        lease, counts = self.lease(), dict.fromkeys(TABLES, 0)
        async with self.purge.database.transaction() as tx:
            await lease.seize(tx)
        try:
            async with aclosing(self.purge.steps(self.clock(), lease, Bookmark())) as steps:
                async for step in steps:
                    counts[step.table] += step.removed
                    progress(step)
        except LeaseLost:
            raise OperatorError(
                "Another `authsvc db purge` was started and goes on in place of this one."
            ) from None
        counts["signing_key"] = await self.keys.forget()
        async with self.purge.database.transaction() as tx:
            await lease.release(tx)
        return counts

    def lease(self) -> Lease:
        """Return the lease as this instance has it, or would have it."""
        return Lease("purge", self.holder, self.every + LEASE_LIFE, self.clock)
