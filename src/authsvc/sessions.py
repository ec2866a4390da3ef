"""Sessions: listed, and ended. Whoever asks, a session ends here and nowhere else.

The order is always: commit, then deny in Redis, then answer. A crash in between leaves the mark
`undelivered` on the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast
from uuid import UUID

from authsvc import audit
from authsvc.clock import Clock
from authsvc.storage import accounts, sessions
from authsvc.storage.database import Database, Transaction
from authsvc.storage.delivery import Delivery
from authsvc.storage.denial import SAFETY, Denial
from authsvc.storage.key_withdrawals import LatestWithdrawal
from authsvc.storage.question import Question
from authsvc.storage.sessions import EndedSession, Session, Which

__all__ = ["EndReason", "Session", "SessionLimits", "Sessions"]

EndReason = Literal[
    "logout",
    "revoked",
    "refresh_token_replayed",
    "password_changed",
    "account_disabled",
    "too_many_sessions",
    "ended_by_operator",
]

_TOO_MANY: EndReason = "too_many_sessions"


@dataclass(frozen=True)
class SessionLimits:
    """How long a session lives without use, and at all."""

    idle: timedelta
    absolute: timedelta

    def end_of(self, *, created_at: datetime, last_used_at: datetime) -> datetime:
        """Return when the session is over, unless it is used before."""
        return min(created_at + self.absolute, last_used_at + self.idle)


@dataclass(frozen=True)
class Sessions:
    """Lists and ends sessions."""

    database: Database
    delivery: Delivery
    limits: SessionLimits
    access_token_lifetime: timedelta
    count_of_alive: Question
    clock: Clock

    async def page(self, account_id: UUID, *, after: UUID | None, limit: int) -> list[Session]:
        """Return at most *limit* live sessions of the account, newest first, from behind *after*."""
        async with self.database.reading() as tx:
            return await sessions.page(tx, self.alive(account_id), after=after, limit=limit)

    async def end(self, session_id: UUID, *, reason: EndReason, account_id: UUID | None = None) -> bool:
        """End one session (of this account, if named); False if there was none left to end."""
        return await self.end_where(sessions.is_session(session_id, account_id=account_id), reason=reason) > 0

    async def end_all(self, account_id: UUID, *, reason: EndReason, but: UUID | None = None) -> int:
        """End every session of the account but one if named; return how many."""
        return await self.end_where(sessions.of_account(account_id, but=but), reason=reason)

    async def end_where(self, which: Which, *, reason: EndReason) -> int:
        """End the sessions that are meant; return how many."""
        async with self.database.transaction() as tx:
            ended = await self.mark_ended(tx, which, reason=reason)
        await self.deny(ended, reason=reason)
        return sum(session.anew for session in ended)

    async def keep_newest(self, at_most: int, newest: Session) -> LatestWithdrawal:
        """End the oldest sessions of the account where, with *newest*, it has more than *at_most*.

        Asked once *newest* is committed: of several that come at once, the last to ask sees them all.

        Returns:
            when a key was last withdrawn, which is asked along with it.

        Raises:
            Unavailable: the database is away; nothing was ended.
        """
        account_id = newest.account_id
        [[count, withdrawn_at]] = await self.count_of_alive.rows(account_id=account_id, **self._alive_since())
        if cast("int", count) > at_most:
            async with self.database.transaction() as tx:
                await accounts.hold(tx, account_id)  # else two would end each other's
                surplus = sessions.beyond_newest(
                    at_most, self.alive(account_id), tx.dialect, newest=newest.id
                )
                ended = await self.mark_ended(tx, surplus, reason=_TOO_MANY)
            await self.deny(ended, reason=_TOO_MANY)
        return LatestWithdrawal(cast("datetime | None", withdrawn_at))

    async def mark_ended(self, tx: Transaction, which: Which, *, reason: EndReason) -> list[EndedSession]:
        """Do the first half within *tx*; once it is committed the caller owes `deny`."""
        return await sessions.end(tx, which, reason=reason, now=self.clock(), mark=self.delivery.mark)

    async def deny(self, ended: Sequence[EndedSession], *, reason: EndReason) -> None:
        """Do the second half: deny the sessions in Redis and clear their marks."""
        for session in ended:
            if session.anew:
                audit.record(
                    "session_ended",
                    session_id=session.id,
                    account_id=session.account_id,
                    client_id=session.client_id,
                    reason=reason,
                )
        now = self.clock()
        # Today's settings may lengthen a denial's life, never shorten it.
        least = now + self.access_token_lifetime
        await self.delivery.deliver(
            [
                Denial.of_session(session.id, until=max(session.access_until, least))
                for session in ended
                # One whose last access token is long over has nothing left to deny.
                if session.access_until > now - SAFETY
            ]
        )

    def alive(self, account_id: UUID) -> Which:
        """The account's sessions that have not ended and are within their limits now."""
        return sessions.alive(account_id, **self._alive_since())

    def _alive_since(self) -> dict[str, datetime]:
        now = self.clock()
        return {"used_after": now - self.limits.idle, "created_after": now - self.limits.absolute}
