"""Postgres: what it knows of denials. Which there are, which Redis has still to hear of, on which node.

The node that holds the denylist stands in the table `lease`. A mark is cleared only for denials that
were written to that node: what another node has is lost with it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import col

from authsvc.storage.database import Database, Row, Transaction
from authsvc.storage.denial import LONGEST_LIFE, SAFETY, Denial
from authsvc.storage.dialect import UtcDateTime, insert
from authsvc.storage.question import Question
from authsvc.storage.tables import ClientRow, DeniedTokenRow, LeaseRow, SessionRow, SigningKeyRow

PORTION = 2000
_LEASE = "denylist"


Mark = bool | sa.ColumnElement[bool]
"""Whether a denylist still has to hear of a row; or the question whether there is one."""


@dataclass(frozen=True)
class Undelivered:
    """What is marked (some of it, if it is not all), and the node on which the denylist is."""

    node: str | None
    denials: Sequence[Denial]
    is_all: bool


def has_denylist() -> Mark:
    """Ask, within a statement, whether some instance keeps a denylist: this one may have no Redis."""
    return sa.exists().where(col(LeaseRow.name) == _LEASE)


async def record_node(tx: Transaction, run_id: str) -> None:
    """Say that the denylist is on this node from now on."""
    statement = insert(tx, LeaseRow).values(name=_LEASE, holder=run_id)
    await tx.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"holder": statement.excluded.holder})
    )


def marked_rows(database: Database) -> Question:
    """Return what asks for the rows that are marked (some, if they are many), and for the recorded node."""
    marked = (_what(kind).where(mark).limit(PORTION).subquery() for kind, mark in _MARKS.items())
    node = sa.select(
        sa.literal("node"), col(LeaseRow.holder), sa.null(), sa.cast(sa.null(), sa.Integer), sa.false()
    ).where(col(LeaseRow.name) == _LEASE)
    # A union has the types of its first part.
    return Question(database, sa.union_all(*map(sa.select, marked), node))


def undelivered(rows: Sequence[Row], now: datetime) -> Undelivered:
    """Return what `marked_rows` found."""
    found = [cast("_DenialRow", row) for row in rows]
    counts = Counter(row[0] for row in found)
    return Undelivered(
        node=next((row[1] for row in found if row[0] == "node"), None),
        denials=[_denial(row, now) for row in found if row[0] != "node"],
        is_all=max(counts.values(), default=0) < PORTION,
    )


async def clear_marks(tx: Transaction, denials: Sequence[Denial], *, node: str) -> None:
    """Clear the marks of *denials*, which *node* has taken, if the denylist is on that node."""
    is_there = sa.exists().where(col(LeaseRow.name) == _LEASE, col(LeaseRow.holder) == node)
    for start in range(0, len(denials), 1000):  # a statement takes 32,766 parameters at most
        some = denials[start : start + 1000]
        sessions = [UUID(denial.name) for denial in some if denial.kind == "sid"]
        tokens, keys = ([denial.name for denial in some if denial.kind == kind] for kind in ("jti", "kid"))
        for table, mark, named in (
            (SessionRow, _MARKS["sid"], col(SessionRow.id).in_(sessions) if sessions else None),
            (DeniedTokenRow, _MARKS["jti"], col(DeniedTokenRow.jti).in_(tokens) if tokens else None),
            (SigningKeyRow, _MARKS["kid"], col(SigningKeyRow.kid).in_(keys) if keys else None),
            *((ClientRow, _MARKS["client"], _as_delivered(one)) for one in some if one.kind == "client"),
        ):
            if named is not None:
                await tx.execute(sa.update(table).where(named, mark, is_there).values(undelivered=False))


def _as_delivered(denial: Denial) -> sa.ColumnElement[bool]:
    # A client changed once more is not delivered yet.
    return sa.and_(col(ClientRow.id) == denial.name, col(ClientRow.version) == denial.version)


async def live(database: Database, *, since: datetime, now: datetime) -> AsyncIterator[list[Denial]]:
    """Yield, in portions, every denial made after *since* that a token may still need."""
    until = now - SAFETY
    ended, expires = col(SessionRow.ended_at), col(DeniedTokenRow.expires_at)
    denied = col(DeniedTokenRow.denied_at)
    changed, revoked = col(ClientRow.changed_at), col(SigningKeyRow.revoked_at)
    still_needed = {
        "sid": sa.and_(ended > since, col(SessionRow.access_until) > until),
        "jti": sa.and_(expires > until, sa.or_(denied.is_(None), denied > since)),
        "client": changed > since,
        "kid": revoked > since,
    }
    for kind, (first, second) in _ORDERS.items():
        after: sa.ColumnElement[bool] = sa.true()
        while True:
            statement = _what(kind).add_columns(first, second).where(still_needed[kind], after)
            async with database.reading() as tx:
                rows = (await tx.execute(statement.order_by(first, second).limit(PORTION))).all()
            if rows:
                yield [_denial(row[:5], now) for row in rows]
            if len(rows) < PORTION:
                break
            last_first, last_second = rows[-1][-2:]
            after = sa.or_(first > last_first, sa.and_(first == last_first, second > last_second))


_MARKS: dict[str, SQLCoreOperations[bool]] = {
    "sid": col(SessionRow.undelivered),
    "jti": col(DeniedTokenRow.undelivered),
    "client": col(ClientRow.undelivered),
    "kid": col(SigningKeyRow.undelivered),
}
_ORDERS = {
    "sid": (col(SessionRow.ended_at), col(SessionRow.id)),
    "jti": (col(DeniedTokenRow.expires_at), col(DeniedTokenRow.jti)),
    "client": (col(ClientRow.changed_at), col(ClientRow.id)),
    "kid": (col(SigningKeyRow.revoked_at), col(SigningKeyRow.kid)),
}


def _what(kind: str) -> sa.Select[str, str, datetime | None, int, bool]:
    """Select kind, name, a moment that says how long, version, and whether it is disabled."""
    nothing = sa.cast(sa.null(), UtcDateTime())
    no_version, yes = sa.cast(sa.null(), sa.Integer), sa.true()
    is_disabled = col(ClientRow.disabled_at).is_not(None)
    columns = {
        "sid": (sa.cast(col(SessionRow.id), sa.Text), col(SessionRow.access_until), no_version, yes),
        "jti": (col(DeniedTokenRow.jti), col(DeniedTokenRow.expires_at), no_version, yes),
        "client": (col(ClientRow.id), nothing, col(ClientRow.version), is_disabled),
        "kid": (col(SigningKeyRow.kid), nothing, no_version, yes),
    }
    # Named, or a subquery takes two constants for one column.
    name, until, version, disabled = columns[kind]
    return sa.select(
        sa.literal(kind).label("kind"),
        name.label("name"),
        until.label("until"),
        version.label("version"),
        disabled.label("is_disabled"),
    )


_DenialRow = tuple[str, str, datetime | None, int, bool]


def _denial(row: _DenialRow, now: datetime) -> Denial:
    kind, name, moment, version, is_disabled = row
    until = moment or now + LONGEST_LIFE
    match kind:
        case "sid":
            return Denial.of_session(UUID(name), until=until)
        case "jti":
            return Denial.of_token(name, until=until)
        case "kid":
            return Denial.of_key(name, until=until)
        case _:
            return Denial.of_client(name, version=version, is_disabled=is_disabled, until=until)
