"""Postgres: where uses of sessions are written: over a held connection, where there is one."""

from dataclasses import replace
from typing import cast

from authsvc.storage import access_tokens
from authsvc.storage.access_tokens import OpaqueToken
from authsvc.storage.database import Database
from authsvc.storage.held_connections import HeldStatement
from authsvc.storage.rotations import Rotations
from authsvc.storage.session_use import REPEAT, ROTATE, SessionUse, with_token


class SessionUses:
    """Writes uses, each committed when it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = database.engine.dialect
        held = () if database.changes is None else (ROTATE, REPEAT)
        self._alone = {use: HeldStatement(use, dialect) for use in held}
        self._with_token = {use: HeldStatement(with_token(use), dialect) for use in held}
        self._rotations = {
            has_token: Rotations(database, with_token=has_token)
            for has_token in ((True, False) if held else ())
        }

    async def write(self, use: SessionUse, token: OpaqueToken | None = None) -> int | None:
        """Write *use*, with the access token that goes with it if that has to be stored, and commit.

        Returns:
            the number of that token; None, and nothing is written, if anything is not as it was seen, or if
            something else was in the way of a session that is remembered.

        Raises:
            Unavailable: the database is away; it may have been written.
        """
        if self._database.changes is None:
            return await self._in_transaction(use, token)
        if use.statement is ROTATE:
            number = await self._rotations[token is not None].write(use, token)
            if number is not None or use.is_remembered:
                return number
            # Moved, ended, or locked by somebody just now: alone it can wait for that.
        statement = (self._alone if token is None else self._with_token)[use.statement]
        rows = await self._database.change(statement.text, *statement.arguments(use.told(token)))
        return cast("int", rows[0][1]) if rows else None

    async def _in_transaction(self, use: SessionUse, token: OpaqueToken | None) -> int | None:
        async with self._database.transaction() as tx:
            used = (await tx.execute(use.statement, use.values)).one_or_none()
            if used is None:
                return None
            if token is not None:
                await access_tokens.insert(tx, replace(token, number=used[1]))
        return used[1]
