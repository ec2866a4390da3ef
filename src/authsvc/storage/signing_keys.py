"""Postgres: the table `signing_key`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlmodel import col

from authsvc.storage.database import Database, Row, Transaction
from authsvc.storage.denial_rows import Mark
from authsvc.storage.dialect import insert
from authsvc.storage.question import Question
from authsvc.storage.tables import SigningKeyRow


@dataclass(frozen=True)
class StoredKey:
    """A signing key, as stored."""

    kid: str
    position: int
    algorithm: str
    public_pem: str
    encrypted_private_pem: str
    created_at: datetime
    signs_from: datetime | None
    revoked_at: datetime | None


_KeyRow = tuple[str, int, str, str, str, datetime, datetime | None, datetime | None]
_COLUMNS = tuple(getattr(SigningKeyRow, name) for name in StoredKey.__dataclass_fields__)
_EVERY = sa.select(*_COLUMNS).order_by(col(SigningKeyRow.position))


async def every(tx: Transaction, *, for_update: bool = False) -> list[StoredKey]:
    """Return all keys in the order of their positions."""
    if for_update:
        # Whoever held the locks may have added a key, which only a statement begun afterwards sees.
        await tx.execute(_EVERY.with_for_update())
    return read([tuple(row) for row in await tx.execute(_EVERY)])


def question(database: Database) -> Question:
    """Return what asks for all keys; `read` reads its rows."""
    return Question(database, _EVERY)


def read(rows: Sequence[Row]) -> list[StoredKey]:
    """Return the keys, in the order of their positions."""
    return [StoredKey(*cast("_KeyRow", row)) for row in rows]


async def add(tx: Transaction, key: StoredKey) -> None:
    """Insert the key unless another instance has taken its position."""
    values = {name: getattr(key, name) for name in StoredKey.__dataclass_fields__}
    await tx.execute(
        insert(tx, SigningKeyRow).values(**values).on_conflict_do_nothing(index_elements=["position"])
    )


async def save(tx: Transaction, key: StoredKey) -> None:
    """Write what the key is now."""
    await tx.execute(
        sa.update(SigningKeyRow)
        .where(col(SigningKeyRow.kid) == key.kid)
        .values(
            signs_from=key.signs_from,
            revoked_at=key.revoked_at,
            encrypted_private_pem=key.encrypted_private_pem,
        )
    )


async def mark(tx: Transaction, kid: str, *, undelivered: Mark) -> None:
    """Say whether the denylist still has to hear that the key was withdrawn."""
    await tx.execute(
        sa.update(SigningKeyRow).where(col(SigningKeyRow.kid) == kid).values(undelivered=undelivered)
    )


async def remove(tx: Transaction, kids: Sequence[str]) -> None:
    """Delete these keys."""
    await tx.execute(sa.delete(SigningKeyRow).where(col(SigningKeyRow.kid).in_(kids)))
