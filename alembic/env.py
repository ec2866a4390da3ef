"""Alembic's entry: uses the connection it is handed, else opens one from AUTHSVC_DATABASE_URL."""

import asyncio
from typing import Literal

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext

from alembic import context
from authsvc.environment import load_settings
from authsvc.storage.tables import metadata
from authsvc.wiring import build_stores


def render_item(kind: str, item: object, autogen: AutogenContext) -> str | Literal[False]:
    """Write our own column types as the plain ones they are, so migrations import nothing of ours."""
    del autogen
    if kind == "type" and type(item).__name__ == "UtcDateTime":
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: sa.Connection) -> None:
    """Migrate over *connection*, inside the transaction it is in."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_from_settings() -> None:
    """Migrate the configured database."""
    stores = build_stores(load_settings(), is_patient=True)
    try:
        async with stores.database.transaction() as tx:
            await tx.run_sync(run)
    finally:
        await stores.close()


if (handed := context.config.attributes.get("connection")) is not None:
    run(handed)
else:
    asyncio.run(run_from_settings())
