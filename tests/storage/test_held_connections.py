"""How Postgres plans what is asked over a held connection: once, and so that a table may grow."""

from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from authsvc.storage import access_tokens, accounts, clients, sessions
from authsvc.storage.database import Database
from tests.fixtures.service import Service

pytestmark = pytest.mark.only(
    "postgres-opaque", reason="nothing is held on SQLite, and formats share the way"
)

LOOKED_UP = {"access_token": access_tokens, "account": accounts, "client": clients, "session": sessions}


@pytest.fixture
def database(service: Service) -> Database:
    return service.stack.services.stores.database


@pytest.mark.parametrize("table", LOOKED_UP)
@pytest.mark.usefixtures("signed_in")
async def test_a_plan_that_is_made_for_a_small_table_reads_no_large_one_whole(
    service: Service, database: Database, table: str
) -> None:
    async with service.transaction() as tx:
        await tx.execute(sa.text("ANALYZE"))  # now Postgres knows that all of it is one page
    asked = LOOKED_UP[table].lookups(database)._of_many  # noqa: SLF001 - what is planned is its own affair

    plan = lines(await database.ask(f"EXPLAIN {asked.text}", *asked.arguments({"keys": []})))

    whole = [line.strip() for line in plan if "Seq Scan on" in line and "signing_key" not in line]
    assert any("Index Scan" in line for line in plan)
    assert whole == []


async def test_nothing_is_planned_twice(database: Database) -> None:
    """A plan for the keys at hand looks cheaper than one for any; but to plan takes longer than to answer."""
    assert await database.ask("SHOW plan_cache_mode") == [("force_generic_plan",)]


async def test_nothing_is_compiled(database: Database) -> None:
    """What must read a table whole, where that is switched off, counts as dear enough to be compiled."""
    assert await database.ask("SHOW jit") == [("off",)]


def lines(rows: Sequence[Sequence[object]]) -> list[str]:
    return [str(row[0]) for row in rows]
