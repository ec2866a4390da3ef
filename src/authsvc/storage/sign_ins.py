"""Postgres: what a login writes, if its account still has the password that was verified.

One statement, which takes the lock of the account's row and looks again: a change of the account comes
first, and nothing is written, or waits, and ends the session.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast

import sqlalchemy as sa
from sqlmodel import col

from authsvc.storage import access_tokens, accounts, key_withdrawals, sessions
from authsvc.storage.access_tokens import OpaqueToken
from authsvc.storage.database import Database
from authsvc.storage.dialect import UtcDateTime
from authsvc.storage.held_connections import HeldStatement
from authsvc.storage.key_withdrawals import LATEST, LatestWithdrawal
from authsvc.storage.named_rows import insertion, named
from authsvc.storage.sessions import Session
from authsvc.storage.tables import AccessTokenRow, AccountRow, SessionRow


@dataclass(frozen=True)
class SignIn:
    """A new session, and what is written with it.

    `signed_after` is the latest withdrawal of a key that was known when its JWT was signed.
    """

    session: Session
    verified_hash: str
    better_hash: str | None
    addresses: tuple[bytes | None, bytes] | None
    token: OpaqueToken | None
    signed_after: LatestWithdrawal | None


class Written(NamedTuple):
    """Whether a sign-in was written, and the latest withdrawal of a key at that moment."""

    is_done: bool
    withdrawal: LatestWithdrawal


# long: one statement, and its parts are read together
def _statement(*, with_token: bool) -> sa.Select[bool, datetime | None]:
    latest = LATEST.scalar_subquery()
    seen = sa.bindparam("signed_after", type_=UtcDateTime)
    is_signed_well = sa.true() if with_token else sa.or_(latest.is_(None), latest <= seen)
    account_id = sa.bindparam("account_id", type_=sa.Uuid())
    verified_hash = sa.bindparam("verified_hash", type_=sa.Text())
    claimed = accounts.unchanged(account_id, verified_hash).where(is_signed_well).cte("claimed")
    claimed_id = sa.select(claimed.c.id).scalar_subquery()
    better = sa.bindparam("better_hash", type_=sa.Text())
    known, new = (sa.bindparam(name, type_=sa.LargeBinary()) for name in ("known", "new"))
    stored = col(AccountRow.known_addresses)
    is_first = sa.and_(new.is_not(None), stored.is_not_distinct_from(known))
    noted = (
        sa.update(AccountRow)
        .where(col(AccountRow.id) == claimed_id, sa.or_(better.is_not(None), is_first))
        .values(
            password_hash=sa.func.coalesce(better, col(AccountRow.password_hash)),
            known_addresses=sa.case((is_first, new), else_=stored),
        )
    )
    added = insertion(SessionRow, "session", claimed)
    parts = [noted.cte("noted"), added.cte("added")]
    if with_token:
        parts.append(insertion(AccessTokenRow, "token", claimed).cte("token"))
    # Sent a second time, it may find the password's hash replaced by the first, and its own session.
    is_there = sa.exists().where(col(SessionRow.id) == sa.bindparam("session_id"))
    is_done = sa.or_(sa.exists().where(claimed.c.id.is_not(None)), is_there)
    return sa.select(is_done, latest).add_cte(*parts)


class SignIns:
    """Writes sign-ins: over a held connection, where there is one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = database.engine.dialect
        self._held = {
            with_token: HeldStatement(_statement(with_token=with_token), dialect)
            for with_token in ((True, False) if database.logins is not None else ())
        }

    async def write(self, sign_in: SignIn) -> Written:
        """Write *sign_in* and commit; nothing if its account was changed, or a key withdrawn since.

        Raises:
            Unavailable: the database is away; it may have been written.
        """
        if self._database.logins is None:
            return await self._in_transaction(sign_in)
        statement = self._held[sign_in.token is not None]
        [[is_done, withdrawn_at]] = await self._database.log_in(
            statement.text, *statement.arguments(_values(sign_in))
        )
        return Written(bool(is_done), LatestWithdrawal(cast("datetime | None", withdrawn_at)))

    async def _in_transaction(self, sign_in: SignIn) -> Written:
        async with self._database.transaction() as tx:
            account_id = sign_in.session.account_id
            is_unchanged = await accounts.lock(tx, account_id, password_hash=sign_in.verified_hash)
            latest = await key_withdrawals.latest(tx)
            is_overtaken = sign_in.signed_after is not None and sign_in.signed_after.is_before(latest)
            if is_overtaken or not is_unchanged:
                return Written(is_done=False, withdrawal=latest)
            if sign_in.better_hash is not None:
                await accounts.replace_hash(
                    tx, account_id, verified=sign_in.verified_hash, new=sign_in.better_hash
                )
            if sign_in.addresses is not None:
                known, new = sign_in.addresses
                await accounts.remember_addresses(tx, account_id, known=known, new=new)
            await sessions.insert(tx, sign_in.session)
            if sign_in.token is not None:
                await access_tokens.insert(tx, sign_in.token)
        return Written(is_done=True, withdrawal=latest)


def _values(sign_in: SignIn) -> dict[str, object]:
    known, new = sign_in.addresses or (None, None)
    token = {} if sign_in.token is None else access_tokens.values(sign_in.token)
    return {
        "account_id": sign_in.session.account_id,
        "verified_hash": sign_in.verified_hash,
        "better_hash": sign_in.better_hash,
        "known": known,
        "new": new,
        "signed_after": None if sign_in.signed_after is None else sign_in.signed_after.at,
        **named("session", sessions.values(sign_in.session)),
        **named("token", token),
    }
