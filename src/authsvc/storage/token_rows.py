"""Rows of opaque tokens, and the clients that matter to those who ask: one statement for both.

Saves: Redis, which would have to be asked whether the caller is as it is remembered, and waited for; and for
a token that is remembered, looking for its client, which is looked for once for all that are asked about.
Invariant: as `lookups.py` has it; a row and the clients told with it are of the same moment.
On failure: all who wait for the statement get its error.
To switch it off: `Database.reads = None`; then the token is asked for by itself, and Redis about the caller.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from authsvc.storage.coalescing import Coalescer, Receiver
from authsvc.storage.database import Database
from authsvc.storage.held_connections import HeldStatement
from authsvc.storage.lookups import KeyCondition
from authsvc.storage.tables import ClientRow

_BATCH = 256
_NAME = 2  # where a row has a text, and behind it a truth


class ClientState(NamedTuple):
    """What can change of a client; whatever does raises its version."""

    version: int
    is_disabled: bool


Clients = Mapping[str, ClientState]
"""By their ids."""


class TokenQuestion(NamedTuple):
    """By which key a token's row is found, and the ids of the clients that matter."""

    sha256: bytes
    clients: tuple[str, ...]


class TokenAnswer(NamedTuple):
    """What there is of all that was asked for at the same time: rows by their keys, and clients."""

    rows: Mapping[object, Sequence[object]]
    clients: Clients


class TokenRows:
    """Asks Postgres over a held connection, which there must be: as `Lookups.are_shared` says."""

    def __init__(
        self, database: Database, found_by: Callable[[KeyCondition[bytes]], sa.Select[tuple[object, ...]]]
    ) -> None:
        """*found_by* makes the statement that finds rows by their SHA-256, which come first in a row."""
        self._database = database
        rows = found_by(sa.any_(sa.bindparam("keys", type_=ARRAY(sa.LargeBinary()))))
        self._statement = HeldStatement(_with_clients(rows), database.engine.dialect)
        self._questions: Coalescer[TokenQuestion, TokenAnswer] = Coalescer(
            self._fetch, at_most=_BATCH, in_halves=True
        )

    def find_for(self, receiver: Receiver[TokenAnswer], question: TokenQuestion) -> None:
        """Answer *receiver*, which is told in the very moment that the answer comes.

        It is told `Unavailable` where the database is away.
        """
        self._questions.ask_for(receiver, question)

    async def _fetch(self, batch: Sequence[TokenQuestion]) -> list[TokenAnswer]:
        keys = {question.sha256 for question in batch}
        names = {name for question in batch for name in question.clients}
        wanted = self._statement.arguments({"keys": list(keys), "clients": list(names)})
        rows: dict[object, Sequence[object]] = {}
        clients: dict[str, ClientState] = {}
        for told in await self._database.ask(self._statement.text, *wanted):
            version = told[-1]
            if version is None:
                rows[told[0]] = told
            else:
                name, is_disabled = cast("tuple[str, bool]", told[_NAME : _NAME + 2])
                clients[name] = ClientState(cast("int", version), is_disabled)
        return [TokenAnswer(rows, clients)] * len(batch)


def _with_clients(rows: sa.Select[tuple[object, ...]]) -> sa.CompoundSelect[tuple[object, ...]]:
    """Add the version of a client at the end, which only the rows of clients have."""
    ids = sa.bindparam("clients", type_=ARRAY(sa.Text()))
    missing = len(rows.selected_columns) - _NAME - 2
    clients = sa.select(
        *[sa.null()] * _NAME,
        col(ClientRow.id),
        col(ClientRow.disabled_at).is_not(None),
        *[sa.null()] * missing,
        col(ClientRow.version),
    ).where(col(ClientRow.id) == sa.any_(ids))
    return sa.union_all(rows.add_columns(sa.null()), clients)
