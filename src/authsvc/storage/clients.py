"""Postgres: the table `client`."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col

from authsvc.scopes import Scope, format_scope, parse_scope
from authsvc.storage.database import Transaction
from authsvc.storage.denial_rows import Mark
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


def _client(row: sa.Row[tuple[object, ...]]) -> Client:
    values = dict(row._mapping)  # noqa: SLF001 - the public way to a row's names, despite its underscore
    return Client(**values | {name: parse_scope(values[name]) for name in _LISTS})


def _values(client: Client) -> dict[str, object]:
    values = {name: getattr(client, name) for name in Client.__dataclass_fields__}
    return values | {name: format_scope(values[name]) for name in _LISTS}


async def find(tx: Transaction, client_id: str, *, for_update: bool = False) -> Client | None:
    """Return the client with this id."""
    statement = sa.select(*_COLUMNS).where(col(ClientRow.id) == client_id)
    row = (
        await tx.execute(statement.with_for_update(key_share=True) if for_update else statement)
    ).one_or_none()
    return _client(row) if row else None


async def every(tx: Transaction) -> list[Client]:
    """Return all clients, oldest first."""
    rows = await tx.execute(sa.select(*_COLUMNS).order_by(col(ClientRow.created_at), col(ClientRow.id)))
    return [_client(row) for row in rows]


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
