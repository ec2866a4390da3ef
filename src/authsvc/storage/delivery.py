"""Tell the denylist what Postgres has committed, and then Postgres that the denylist knows."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from authsvc import audit
from authsvc.clock import Clock
from authsvc.errors import Unavailable
from authsvc.storage import denial_rows
from authsvc.storage.database import Database
from authsvc.storage.denial import Denial
from authsvc.storage.denial_rows import Mark
from authsvc.storage.denylist import Denylist
from authsvc.storage.redis_client import RedisAway
from authsvc.storage.redis_node import RedisNode


@dataclass(frozen=True)
class Delivery:
    """Delivers denials. Their rows carry the mark `undelivered` until then, where there is a denylist."""

    database: Database
    denylist: Denylist | None
    clock: Clock

    @property
    def mark(self) -> Mark:
        """Whether a row that denies is to be marked: there is a denylist, ours or that of other instances."""
        return True if self.denylist is not None else denial_rows.has_denylist()

    async def deliver(self, denials: Sequence[Denial], *, again: bool = False) -> RedisNode | None:
        """Write *denials*, whose rows are committed, and clear their marks; *again*: it was told before.

        Nothing is raised: what could not be delivered stays marked, and any instance delivers it.

        Returns:
            the node that has them now, if one has.
        """
        if self.denylist is None or not denials:
            return None
        try:
            node = await self.denylist.deny(denials, now=self.clock())
        except RedisAway as away:
            if not again:
                audit.record("denial_undelivered", denials=len(denials), reason=away.reason)
            return None
        with suppress(Unavailable):  # the denial is kept and told; a mark too many is delivered once more
            async with self.database.transaction() as tx:
                await denial_rows.clear_marks(tx, denials, node=node.run_id)
        return node
