"""How Postgres plans what is asked over a held connection: once, and so that a table may grow."""

import asyncio
from collections.abc import Sequence

import pytest

from authsvc.secret_tokens import fingerprint
from authsvc.storage import access_tokens, accounts, clients, sessions
from authsvc.storage.database import Database
from tests.fixtures.service import Json, Service

pytestmark = pytest.mark.only(
    "postgres-opaque", reason="nothing is held on SQLite, and formats share the way"
)

LOOKED_UP = {"access_token": access_tokens, "account": accounts, "client": clients, "session": sessions}


@pytest.fixture
def database(service: Service) -> Database:
    return service.stack.services.stores.database


async def counts(database: Database) -> list[tuple[int, int]]:
    """How often each statement was run by a plan that was kept, and how often by one made for its values."""
    rows = await database.ask(
        "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%ANY ($1%'"
    )
    return [(int(str(kept)), int(str(made))) for kept, made in rows]


async def test_a_statement_is_planned_once_however_many_keys_it_is_asked_about(
    service: Service, signed_in: Json, database: Database
) -> None:
    lookups = service.stack.services.verifier.opaque.lookups
    token = fingerprint(signed_in["access_token"])
    for count in (1, 7, 2, 30, 1, 12, 3, 9):
        batch = [token, *(bytes([number]) * 32 for number in range(1, count))]
        found = await asyncio.gather(*map(lookups.find, batch))
        assert [row is not None for row in found] == [True] + [False] * (count - 1)

    seen = await counts(database)
    assert seen
    assert {made for _, made in seen} == {0}
    assert max(kept for kept, _ in seen) >= 8


@pytest.mark.parametrize("table", LOOKED_UP)
async def test_a_plan_that_is_made_for_a_small_table_reads_no_large_one_whole(
    database: Database, table: str
) -> None:
    asked = LOOKED_UP[table].lookups(database)._of_many  # noqa: SLF001 - what is planned is its own affair

    plan = lines(await database.ask(f"EXPLAIN {asked.text}", *asked.arguments({"keys": []})))

    whole = [line.strip() for line in plan if "Seq Scan on" in line and "signing_key" not in line]
    assert any("Index Scan" in line for line in plan)
    assert whole == []


async def test_nothing_is_compiled(database: Database) -> None:
    """What must read a table whole, where that is switched off, counts as dear enough to be compiled."""
    assert [tuple(row) for row in await database.ask("SHOW jit")] == [("off",)]


def lines(rows: Sequence[Sequence[object]]) -> list[str]:
    return [str(row[0]) for row in rows]
