"""How Postgres plans what is asked over a held connection: once, and so that a table may grow."""

import asyncio
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from authsvc.secret_tokens import new_id
from authsvc.storage import access_tokens, accounts, clients, denial_rows, sessions
from authsvc.storage.database import Database
from authsvc.storage.held_connections import HeldConnections, HeldStatement
from authsvc.storage.rotations import Rotations
from authsvc.storage.sign_ins import SignIns
from tests.fixtures.clock import START
from tests.fixtures.service import Service

pytestmark = pytest.mark.only(
    "postgres-opaque", reason="nothing is held on SQLite, and formats share the way"
)

LOOKED_UP = {"access_token": access_tokens, "account": accounts, "client": clients, "session": sessions}
# No plan is made for what cannot be found: nothing is equal to NULL.
VALUES = {
    "keys": [],
    "clients": [],
    "account_id": new_id(),
    "verified_hash": "",
    "used_after": START,
    "created_after": START,
}
SMALL = ("signing_key", "client", "lease")


def statements(database: Database) -> dict[str, HeldStatement | None]:
    """What is sent over held connections, but for a rotation that comes alone, which finds its row alike."""
    lookups = {name: module.lookups(database) for name, module in LOOKED_UP.items()}
    rows = {"whole": access_tokens.rows(database), "state": access_tokens.state_rows(database)}
    questions = {
        "how many sessions": sessions.count_of_alive(database),
        "what is marked": denial_rows.marked_rows(database),
    }
    sign_ins = SignIns(database)
    rotations = {has_token: Rotations(database, with_token=has_token) for has_token in (False, True)}
    return {
        **{name: asked._of_many for name, asked in lookups.items()},  # noqa: SLF001 - what is planned is its own affair
        **{f"tokens and clients, {name}": asked._statement for name, asked in rows.items()},  # noqa: SLF001 - what is planned is its own affair
        **{name: asked._held for name, asked in questions.items()},  # noqa: SLF001 - what is planned is its own affair
        **{f"a login, token {with_token}": held for with_token, held in sign_ins._held.items()},  # noqa: SLF001 - what is planned is its own affair
        **{f"rotations, token {has_token}": asked._statement for has_token, asked in rotations.items()},  # noqa: SLF001 - what is planned is its own affair
    }


@pytest.fixture
def database(service: Service) -> Database:
    return service.stack.services.stores.database


@pytest.mark.usefixtures("signed_in")
async def test_a_plan_that_is_made_for_a_small_table_reads_no_large_one_whole(
    service: Service, database: Database
) -> None:
    async with service.transaction() as tx:
        await tx.execute(sa.text("ANALYZE"))  # now Postgres knows that all of it is one page

    for name, asked in statements(database).items():
        assert asked is not None
        plan = lines(await database.ask(f"EXPLAIN {asked.text}", *asked.arguments(VALUES)))

        whole = [
            line
            for line in plan
            if "Seq Scan on" in line and not any(f"on {small} " in line for small in SMALL)
        ]
        assert any("Index" in line for line in plan), name
        assert (name, whole) == (name, [])


@pytest.mark.usefixtures("signed_in")
async def test_a_plan_is_made_anew_once_a_table_has_grown(service: Service, database: Database) -> None:
    """Of one page any index looks as good as another, and only after a minute statistics say otherwise."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    held = HeldConnections({"dsn": url}, timeout_seconds=5, at_most=1, plans_seconds=0.5)
    asked = access_tokens.state_rows(database)._statement  # noqa: SLF001 - what is planned is its own affair
    for table in ("access_token", "session", "account", "client"):
        # Analysed with the empty pages that others left, it would seem to hold few rows, however it grows.
        await database.ask(f"VACUUM (FULL, ANALYZE) {table}")

    async def plan() -> str:
        await held.fetch(asked.text, *asked.arguments(VALUES))
        [[name]] = await held.fetch(
            "SELECT name FROM pg_prepared_statements WHERE statement = $1", asked.text
        )
        return "\n".join(lines(await held.fetch(f"EXPLAIN EXECUTE {name} (32, '{{}}', '{{}}')")))

    try:
        small = await plan()
        async with service.transaction() as tx:
            await tx.execute(
                sa.text(
                    "INSERT INTO access_token (sha256, session_id, client_id, number, scope, audience,"
                    " issued_at, expires_at) SELECT sha256(n::text::bytea), session_id, client_id, n, scope,"
                    " audience, issued_at, expires_at FROM access_token, generate_series(1, 20000) AS n"
                )
            )
        await asyncio.sleep(0.6)
        large = await plan()
    finally:
        held.close()

    by_its_key = "Index Scan using pk_access_token on access_token"
    assert by_its_key not in small
    assert by_its_key in large


async def test_nothing_is_planned_twice(database: Database) -> None:
    """A plan for the keys at hand looks cheaper than one for any; but to plan takes longer than to answer."""
    assert await database.ask("SHOW plan_cache_mode") == [("force_generic_plan",)]


async def test_nothing_is_compiled(database: Database) -> None:
    """What must read a table whole, where that is switched off, counts as dear enough to be compiled."""
    assert await database.ask("SHOW jit") == [("off",)]


def lines(rows: Sequence[Sequence[object]]) -> list[str]:
    return [str(row[0]) for row in rows]
