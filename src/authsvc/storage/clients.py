"""Postgres: the table `client`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from authsvc.scopes import Scope, format_scope, parse_scope
from authsvc.storage.database import Database, Row, Transaction
from authsvc.storage.denial_rows import Mark
from authsvc.storage.lookups import KeyCondition, Lookups
from authsvc.storage.tables import ClientRow

PUBLIC_CLIENT_ID = "public"
"""The row that the first migration makes; what "no client" means at a token endpoint."""


@dataclass(frozen=True)
class Client:
    """A registered application, as stored. Secrets are SHA-256."""

    id: str
    name: str
    is_confidential: bool
    secret_sha256: bytes | None
    previous_secret_sha256: bytes | None
    previous_secret_until: datetime | None
    grants: frozenset[str]
    scope: Scope
    default_scope: Scope
    audience: str | None
    may_introspect: bool
    created_at: datetime
    disabled_at: datetime | None
    version: int


_COLUMNS = tuple(getattr(ClientRow, name) for name in Client.__dataclass_fields__)
_LISTS = ("grants", "scope", "default_scope")


def found_by(client_id: KeyCondition[str]) -> sa.Select[tuple[object, ...]]:
    """Return the statement that `lookups` asks."""
    return sa.select(*_COLUMNS).where(col(ClientRow.id) == client_id)


def lookups(database: Database) -> Lookups[str]:
    """Return what finds clients by their ids; `read` reads its rows."""
    return Lookups(database, found_by, sa.Text())


def read(row: Row) -> Client:
    """Return the client."""
    values: dict[str, Any] = dict(zip(Client.__dataclass_fields__, row, strict=True))
    return Client(**values | {name: parse_scope(values[name]) for name in _LISTS})


def _values(client: Client) -> dict[str, object]:
    values = {name: getattr(client, name) for name in Client.__dataclass_fields__}
    return values | {name: format_scope(values[name]) for name in _LISTS}


async def find_for_update(tx: Transaction, client_id: str) -> Client | None:
    """Return the client with this id, whose row is locked from now on."""
    statement = found_by(sa.literal(client_id)).with_for_update(key_share=True)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else read(tuple(row))


async def every(tx: Transaction) -> list[Client]:
    """Return all clients, oldest first."""
    rows = await tx.execute(sa.select(*_COLUMNS).order_by(col(ClientRow.created_at), col(ClientRow.id)))
    return [read(tuple(row)) for row in rows]


async def audiences(tx: Transaction) -> frozenset[str]:
    """Return every audience that some client has of its own."""
    rows = await tx.execute(
        sa.select(col(ClientRow.audience)).where(col(ClientRow.audience).is_not(None)).distinct()
    )
    return frozenset(audience for (audience,) in rows if audience is not None)


async def add(tx: Transaction, client: Client) -> None:
    """Insert the client."""
    await tx.execute(sa.insert(ClientRow).values(**_values(client)))


async def save(tx: Transaction, client: Client, *, now: datetime, mark: Mark) -> None:
    """Write what the client is now. *mark*: whether the denylist still has to hear of it."""
    values = _values(client) | {"changed_at": now, "undelivered": mark}
    await tx.execute(sa.update(ClientRow).where(col(ClientRow.id) == client.id).values(**values))
