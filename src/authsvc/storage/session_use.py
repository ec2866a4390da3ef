"""Postgres: what a refresh writes into the row of its session, if that is still as it was seen.

One statement, which takes the row's lock and looks again: of two that saw the same generation one finds none.
An opaque access token is stored by the same statement.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from authsvc.storage import access_tokens
from authsvc.storage.access_tokens import OpaqueToken
from authsvc.storage.dialect import UtcDateTime
from authsvc.storage.key_withdrawals import LATEST
from authsvc.storage.named_rows import insertion, named
from authsvc.storage.sessions import FoundSession, Session
from authsvc.storage.tables import AccessTokenRow, AccountRow, ClientRow, SessionRow

Use = ReturningUpdate[UUID, int]
"""Returns the session's id, and the number of the access token that goes with this use."""

Told = Mapping[str, sa.ColumnElement[Any]]
"""What is told of a use, under its names: values to come with the statement, or columns of rows of them."""

_OF_ANY: Mapping[str, TypeEngine[Any]] = {
    "used_id": sa.Uuid(),
    "seen_generation": sa.BigInteger(),
    "now": UtcDateTime(),
    "until": UtcDateTime(),
}
OF_ROTATION: Mapping[str, TypeEngine[Any]] = {
    **_OF_ANY,
    "new_generation": sa.BigInteger(),
    "new_server_key_id": sa.Text(),
    "seen_username": sa.Text(),
    "seen_withdrawal": UtcDateTime(),
    "seen_client_version": sa.BigInteger(),
}
_OF_REPETITION: Mapping[str, TypeEngine[Any]] = {**_OF_ANY, "at_most": sa.Integer()}


def as_seen(told: Told) -> sa.ColumnElement[bool]:
    """Return whether a session is the used one, and neither moved on nor ended since it was looked at."""
    return sa.and_(
        col(SessionRow.id) == told["used_id"],
        col(SessionRow.generation) == told["seen_generation"],
        col(SessionRow.ended_at).is_(None),
    )


def stands_as_seen(told: Told) -> sa.ColumnElement[bool]:
    """Return whether what was seen beside a session is still so: what its tokens say, their key, its client.

    Of a client that was asked about a moment ago no version is told.
    """
    account = sa.exists().where(
        col(AccountRow.id) == col(SessionRow.account_id),
        col(AccountRow.username) == told["seen_username"],
        col(AccountRow.disabled_at).is_(None),
    )
    client = sa.exists().where(
        col(ClientRow.id) == col(SessionRow.client_id),
        col(ClientRow.version) == told["seen_client_version"],
        col(ClientRow.disabled_at).is_(None),
    )
    return sa.and_(
        account,
        LATEST.scalar_subquery().is_not_distinct_from(told["seen_withdrawal"]),
        sa.or_(told["seen_client_version"].is_(None), client),
    )


def rotating(told: Told) -> Use:
    """Return the statement that moves the ratchet on, from the generation that was seen alone."""
    new = {"generation": told["new_generation"], "server_key_id": told["new_server_key_id"]}
    return _use(told).values(**new, rotated_at=told["now"], repeats=0)


def _repeating(told: Told) -> Use:
    # Of many at the same moment each has read a count that is still low enough.
    repeats = col(SessionRow.repeats)
    return _use(told).where(repeats < told["at_most"]).values(repeats=repeats + 1)


def _use(told: Told) -> Use:
    issued, until = col(SessionRow.access_tokens_issued), col(SessionRow.access_until)
    return (
        sa.update(SessionRow)
        .where(as_seen(told))
        .values(
            last_used_at=told["now"],
            access_until=sa.case((until < told["until"], told["until"]), else_=until),
            access_tokens_issued=issued + 1,
        )
        .returning(col(SessionRow.id), issued)
    )


def _told(types: Mapping[str, TypeEngine[Any]]) -> Told:
    return {name: sa.bindparam(name, type_=type_) for name, type_ in types.items()}


ROTATE = rotating(_told(OF_ROTATION)).where(stands_as_seen(_told(OF_ROTATION)))
REPEAT = _repeating(_told(_OF_REPETITION))


def with_token(use: Use) -> sa.Select[UUID, int]:
    """Return the statement that does *use* and stores the opaque token that goes with it."""
    return storing_tokens(use.cte("used"), sa.bindparam("now", type_=UtcDateTime()))


def storing_tokens(
    used: sa.CTE, now: sa.ColumnElement[datetime], **told: sa.ColumnElement[Any]
) -> sa.Select[UUID, int]:
    """Return the statement that stores an opaque token for each of *used*, and removes what is old there.

    Its columns are as *told*, and else values to come with the statement.
    """
    number = used.c.access_tokens_issued
    added = insertion(AccessTokenRow, "token", used, session_id=used.c.id, number=number, **told)
    gone = access_tokens.old(used.c.id, number, now).cte("gone")
    removed = sa.delete(AccessTokenRow).where(col(AccessTokenRow.sha256) == gone.c.sha256)
    return sa.select(used.c.id, number).add_cte(removed.cte("removed"), added.cte("added"))


class SessionUse(NamedTuple):
    """One use of a session, to be written; of one that *is remembered* it is no more than tried."""

    statement: Use
    values: Mapping[str, object]
    is_remembered: bool = False

    def told(self, token: OpaqueToken | None) -> Mapping[str, object]:
        """Return what its statement is told, also where *token* is stored along with it."""
        if token is None:
            return self.values
        return {**self.values, **named("token", access_tokens.values(token))}


def rotation(found: FoundSession, moved: Session, *, client_version: int | None = None) -> SessionUse:
    """Return what moves the ratchet to the generation of *moved*, if all is as it was *found*.

    With *client_version*, only if its client is as it was then, and not disabled.
    """
    change = {
        "new_generation": moved.generation,
        "new_server_key_id": moved.server_key_id,
        "seen_username": found.owner.username,
        "seen_withdrawal": found.key_withdrawal.at,
        "seen_client_version": client_version,
    }
    return SessionUse(ROTATE, _values(found.session, moved) | change, found.is_remembered)


def repetition(seen: Session, moved: Session, *, at_most: int) -> SessionUse:
    """Return what counts one more answer with the same successor, up to *at_most*."""
    return SessionUse(REPEAT, _values(seen, moved) | {"at_most": at_most})


def _values(seen: Session, moved: Session) -> dict[str, object]:
    return {
        "used_id": seen.id,
        "seen_generation": seen.generation,
        "now": moved.last_used_at,
        "until": moved.access_until,
    }
