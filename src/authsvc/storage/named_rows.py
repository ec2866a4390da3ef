"""Rows whose values are named in a statement that is built once, and told each time it is sent."""

from collections.abc import Mapping
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import SQLModel

V = TypeVar("V")


def insertion(
    table: type[SQLModel], prefix: str, source: sa.FromClause, **known: sa.ColumnElement[object]
) -> Insert:
    """Return what inserts one for each row of *source*: values named with *prefix*, but for the *known*."""
    columns = sa.inspect(table).columns.items()
    told = {name: sa.bindparam(f"{prefix}_{name}", type_=column.type) for name, column in columns}
    row = {**told, **known}
    # Sent a second time, when the answer to the first was lost, it is there already.
    return (
        insert(table)
        .from_select(list(row), sa.select(*row.values()).select_from(source))
        .on_conflict_do_nothing()
    )


def named(prefix: str, values: Mapping[str, V]) -> dict[str, V]:
    """Return *values* under the names that `insertion` gave them."""
    return {f"{prefix}_{name}": value for name, value in values.items()}
