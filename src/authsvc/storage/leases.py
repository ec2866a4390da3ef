"""Postgres: the table `lease`. Work that one instance does for all of them is done by the lease's holder."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from authsvc.clock import Clock
from authsvc.storage.database import Transaction
from authsvc.storage.dialect import insert
from authsvc.storage.tables import LeaseRow


class LeaseLost(Exception):
    """Another holds the lease: it ran out, or was seized."""


@dataclass(frozen=True)
class Lease:
    """One holder's view of a lease. It is renewed with the work that it allows, in one transaction."""

    name: str
    holder: str
    life: timedelta
    clock: Clock

    async def take(self, tx: Transaction) -> bool:
        """Take the lease, or renew it; False if another holds it."""
        now = self.clock()
        mine, over = col(LeaseRow.holder) == self.holder, col(LeaseRow.expires_at) <= now
        return await self._write(tx, sa.or_(mine, over))

    async def seize(self, tx: Transaction) -> None:
        """Take the lease from whoever holds it."""
        await self._write(tx, sa.true())

    async def keep(self, tx: Transaction) -> None:
        """Renew the lease, so that what *tx* does is done by its holder.

        Raises:
            LeaseLost: another has it now.
        """
        if not await self.take(tx):
            raise LeaseLost(self.name)

    async def release(self, tx: Transaction) -> None:
        """Give the lease up, if it is still ours."""
        await tx.execute(
            sa.delete(LeaseRow).where(col(LeaseRow.name) == self.name, col(LeaseRow.holder) == self.holder)
        )

    async def _write(self, tx: Transaction, where: sa.ColumnElement[bool]) -> bool:
        values = {"holder": self.holder, "expires_at": self.clock() + self.life}
        statement = (
            insert(tx, LeaseRow)
            .values(name=self.name, **values)
            .on_conflict_do_update(index_elements=["name"], set_=values, where=where)
            .returning(col(LeaseRow.name))
        )
        return (await tx.execute(statement)).one_or_none() is not None
