"""Postgres: the table `account`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from authsvc.storage.database import Database, Row, Transaction
from authsvc.storage.dialect import insert
from authsvc.storage.lookups import KeyCondition, Lookups
from authsvc.storage.question import Value
from authsvc.storage.tables import AccountRow


@dataclass(frozen=True)
class Account:
    """A resource owner, as stored. `username_key` is None once the account is deleted."""

    id: UUID
    username: str
    username_key: str | None
    password_hash: str
    created_at: datetime
    disabled_at: datetime | None
    known_addresses: bytes | None = field(default=None, repr=False)


_COLUMNS = tuple(getattr(AccountRow, name) for name in Account.__dataclass_fields__)


def _found_by_key(username_key: KeyCondition[str]) -> sa.Select[tuple[object, ...]]:
    key = col(AccountRow.username_key)
    return sa.select(key, *_COLUMNS).where(key == username_key)


def lookups(database: Database) -> Lookups[str]:
    """Return what finds accounts by their case-mapped names; `read` reads its rows."""
    return Lookups(database, _found_by_key, sa.Text())


def read(row: Row) -> Account:
    """Return the account."""
    values: tuple[Any, ...] = row[1:]
    return Account(*values)


async def find(tx: Transaction, account_id: UUID) -> Account | None:
    """Return the account with this id."""
    return await _find(tx, col(AccountRow.id) == account_id)


async def find_by_key(tx: Transaction, username_key: str) -> Account | None:
    """Return the account with this case-mapped name."""
    return await _find(tx, col(AccountRow.username_key) == username_key)


async def _find(tx: Transaction, condition: sa.ColumnElement[bool]) -> Account | None:
    row = (await tx.execute(sa.select(*_COLUMNS).where(condition))).one_or_none()
    return Account(*row) if row else None


def unchanged(account_id: Value[UUID], verified_hash: Value[str]) -> sa.Select[UUID]:
    """Return what locks the account if it is enabled and still has the very hash that was verified."""
    return (
        sa.select(col(AccountRow.id))
        .where(
            col(AccountRow.id) == account_id,
            col(AccountRow.password_hash) == verified_hash,
            col(AccountRow.disabled_at).is_(None),
        )
        .with_for_update(key_share=True)
    )


async def hold(tx: Transaction, account_id: UUID) -> None:
    """Lock the account, whatever it is now."""
    one = sa.select(col(AccountRow.id)).where(col(AccountRow.id) == account_id)
    await tx.execute(one.with_for_update(key_share=True))


async def lock(tx: Transaction, account_id: UUID, *, password_hash: str) -> bool:
    """Lock the account if it is `unchanged`."""
    return (await tx.execute(unchanged(account_id, password_hash))).one_or_none() is not None


async def add(tx: Transaction, account: Account) -> bool:
    """Insert the account; False if its name is taken."""
    values = {name: getattr(account, name) for name in Account.__dataclass_fields__}
    statement = (
        insert(tx, AccountRow)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["username_key"])
        .returning(col(AccountRow.id))
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def page(tx: Transaction, *, after: UUID | None, limit: int) -> list[Account]:
    """Return at most *limit* accounts in the order of their making, from behind *after*."""
    statement = sa.select(*_COLUMNS).where(col(AccountRow.username_key).is_not(None))
    if after is not None:
        statement = statement.where(col(AccountRow.id) > after)
    rows = await tx.execute(statement.order_by(col(AccountRow.id)).limit(limit))
    return [Account(*row) for row in rows]


async def count_hashes(tx: Transaction, prefix_of: Callable[[str], str]) -> dict[str, int]:
    """Return how many accounts with a name have a hash that begins so, for every beginning there is.

    It reads the whole table twice for each of them, of which there are as many as there were policies.
    """
    stored = col(AccountRow.password_hash)
    left = sa.select(stored).where(col(AccountRow.username_key).is_not(None))
    counts: dict[str, int] = {}
    while (found := (await tx.execute(left.limit(1))).scalar_one_or_none()) is not None:
        begins_so = stored.startswith(prefix := prefix_of(found), autoescape=True)
        rows = sa.select(sa.func.count()).where(col(AccountRow.username_key).is_not(None), begins_so)
        counts[prefix] = (await tx.execute(rows)).scalar_one()
        left = left.where(~begins_so)
    return counts


async def replace_hash(tx: Transaction, account_id: UUID, *, verified: str | None, new: str) -> bool:
    """Store *new*; False if the account is gone, or its hash is no longer *verified* (when given)."""
    statement = sa.update(AccountRow).where(
        col(AccountRow.id) == account_id, col(AccountRow.username_key).is_not(None)
    )
    if verified is not None:
        statement = statement.where(
            col(AccountRow.password_hash) == verified, col(AccountRow.disabled_at).is_(None)
        )
    return await _update(tx, statement.values(password_hash=new))


async def remember_addresses(tx: Transaction, account_id: UUID, *, known: bytes | None, new: bytes) -> None:
    """Store *new* in the place of *known*; where another sign-in was faster, its value stays."""
    statement = sa.update(AccountRow).where(
        col(AccountRow.id) == account_id, col(AccountRow.known_addresses).is_not_distinct_from(known)
    )
    await _update(tx, statement.values(known_addresses=new))


async def rename(tx: Transaction, account_id: UUID, *, username: str, username_key: str) -> bool:
    """Give the account another name; False if it is taken."""
    holder = await find_by_key(tx, username_key)
    if holder is not None and holder.id != account_id:
        return False
    statement = sa.update(AccountRow).where(col(AccountRow.id) == account_id)
    try:
        return await _update(tx, statement.values(username=username, username_key=username_key))
    except IntegrityError:  # somebody took it just now; the transaction is over
        return False


async def set_disabled(tx: Transaction, account_id: UUID, disabled_at: datetime | None) -> None:
    """Disable the account from *disabled_at*, or enable it; one already disabled keeps its date."""
    date = disabled_at and sa.func.coalesce(col(AccountRow.disabled_at), disabled_at)
    await _update(tx, sa.update(AccountRow).where(col(AccountRow.id) == account_id).values(disabled_at=date))


async def free_name(tx: Transaction, account_id: UUID) -> None:
    """Let the account's name be taken by another: the account is deleted."""
    await _update(tx, sa.update(AccountRow).where(col(AccountRow.id) == account_id).values(username_key=None))


async def _update(tx: Transaction, statement: sa.Update) -> bool:
    return (await tx.execute(statement.returning(col(AccountRow.id)))).one_or_none() is not None
