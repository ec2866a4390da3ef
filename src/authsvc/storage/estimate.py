"""About how many rows a condition meets, without counting them where they may be many."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import SQLModel

from authsvc.storage.database import Transaction


class Explain(sa.Executable, sa.ClauseElement):
    """Asks Postgres for its plan of a statement, as JSON."""

    inherit_cache = False

    def __init__(self, statement: sa.Select[Any] | sa.Delete) -> None:
        self.statement = statement


@compiles(Explain)
def _explain(element: Explain, compiler: SQLCompiler, **options: object) -> str:
    return f"EXPLAIN (FORMAT JSON) {compiler.process(element.statement, **options)}"


async def estimated_rows(tx: Transaction, table: type[SQLModel], condition: sa.ColumnElement[bool]) -> int:
    """Return what the planner of Postgres expects; SQLite counts, its tables being small."""
    count = sa.select(sa.func.count()).select_from(table).where(condition)
    if tx.dialect.name == "sqlite":
        return int((await tx.execute(count)).scalar_one())
    rows = sa.select(table).where(condition)
    plan = (await tx.execute(Explain(rows))).scalar_one()
    return int(plan[0]["Plan"]["Plan Rows"])
