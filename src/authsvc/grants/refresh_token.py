"""Exchange a refresh token for the next one (RFC 6749 §6).

Inside the overlap the predecessor gets the same successor again, so a lost answer or a second tab
logs nobody out. After it the token is in two hands, and the session ends (RFC 9700 §4.14.2).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID

from authsvc import audit
from authsvc.clients import Client, require_grant
from authsvc.clock import Clock
from authsvc.errors import InvalidGrant, InvalidScope, TooManyAttempts, UnauthorizedClient, Unavailable
from authsvc.grants.issuing import Granted, IssuedTokens, TokenIssuer
from authsvc.grants.known_sessions import KnownSessions
from authsvc.grants.refresh_verdict import (
    MAX_REPEATS,
    Judgement,
    Presented,
    Refused,
    Repeat,
    RepeatedTooOften,
    Replayed,
    Rotate,
    judge,
)
from authsvc.remembered_clients import Copy
from authsvc.scopes import Scope, narrow
from authsvc.server_keys import ServerKeys
from authsvc.sessions import Sessions
from authsvc.storage import session_use, sessions
from authsvc.storage.database import Database
from authsvc.storage.lookups import Lookups
from authsvc.storage.session_use import SessionUse
from authsvc.storage.session_uses import SessionUses
from authsvc.storage.sessions import FoundSession, Session, SessionOwner
from authsvc.tokens.refresh_handle import PresentedRefreshToken, RefreshHandles

_NOT_GOOD = "The refresh token is expired, revoked, already used or not known."
_TRIES = 5
"""Each lost race means that another exchange went through; a handful in a row is no chance."""


@dataclass(frozen=True)
class RefreshTokenGrant:
    """Rotates refresh tokens."""

    database: Database
    lookups: Lookups[UUID]
    known: KnownSessions
    uses: SessionUses
    handles: RefreshHandles
    server_keys: ServerKeys
    issuer: TokenIssuer
    sessions: Sessions
    overlap: timedelta
    clock: Clock

    async def exchange(
        self,
        client: Client,
        presented: PresentedRefreshToken | None,
        *,
        scope: Scope | None,
        found: FoundSession | None = None,
    ) -> IssuedTokens:
        """Return the session's next tokens; *found* is the token's session, if `recall` or `find` told it.

        What could not be opened is None.

        Raises:
            UnauthorizedClient, InvalidScope: the client may not ask for this; nothing changed.
            InvalidGrant: the token is not good; if it was replayed, its session has been ended.
            TooManyAttempts: one generation was repeated too often.
            Unavailable: the database is away, or too much in the way. The rotation may have been written:
                then the same token is a repeated one within the overlap, a replayed one with an overlap of 0.
        """
        require_grant(client, "refresh_token")
        if presented is None:
            raise InvalidGrant(_NOT_GOOD)
        for _ in range(_TRIES):
            found = found or await self.find(presented)
            if found is None:
                raise InvalidGrant(_NOT_GOOD)
            try:
                issued = await self._try(client, presented, scope, found)
            except (InvalidGrant, InvalidScope):
                if not found.is_remembered:  # by memory alone nobody is refused
                    raise
            else:
                if issued is not None:
                    return issued
            found = None  # another exchange, or the session's end, came first: judge again
        raise Unavailable("This refresh token is being exchanged many times at once.")

    async def exchange_as_remembered(
        self, copy: Copy, presented: PresentedRefreshToken, found: FoundSession
    ) -> IssuedTokens | None:
        """Return the session's next tokens if it and its client are as they are remembered; else None.

        Then nothing is written, and nobody is refused.

        Raises:
            Unavailable: as `exchange`.
        """
        try:
            require_grant(copy.client, "refresh_token")
            return await self._try(copy.client, presented, None, found, copy)
        except (UnauthorizedClient, InvalidGrant, InvalidScope):
            return None

    async def _try(
        self,
        client: Client,
        presented: PresentedRefreshToken,
        scope: Scope | None,
        found: FoundSession,
        copy: Copy | None = None,
    ) -> IssuedTokens | None:
        session, owner = found.session, found.owner
        now = self.clock()
        verdict = self.judge(session, owner, presented, client.id, now)
        if not isinstance(verdict, Rotate | Repeat):
            if found.is_remembered:
                return None
            await self._refuse(session, verdict)
        # A scope since taken from the client is not granted again; one asked for by name is refused.
        granted = narrow(scope, default=session.scope & client.scope, allowed=session.scope & client.scope)
        moved = self._moved(session, verdict, now)
        # Made before anything is written: where it cannot be, nothing is used up.
        issued, prepared = await self.issuer.for_session(
            moved, Granted(client, owner.username, granted), found.key_withdrawal
        )
        if issued.refresh_token is None:  # the key that minted it is not in force any more
            raise InvalidGrant(_NOT_GOOD)
        number = await self.uses.write(self._use(found, moved, verdict, copy), prepared.row)
        if number is None:
            if copy is not None:  # it may be the client that has changed, and Redis not have heard of it yet
                copy.forget()
            return None
        self._record(verdict, moved)
        if isinstance(verdict, Rotate):
            written = moved._replace(rotated_at=now, repeats=0, access_tokens_issued=number)
            self.known.learn(found._replace(session=written))
        return issued

    def recall(self, presented: PresentedRefreshToken) -> FoundSession | None:
        """Return the session as it was when *presented* was issued, if that was here and the last time."""
        known = self.known.take(presented.session_id)
        if known is None or known.session.generation != presented.generation:
            return None
        return known if self.handles.is_genuine(presented, known.session.salt) else None

    async def find(self, presented: PresentedRefreshToken) -> FoundSession | None:
        """Return the session that *presented* speaks of."""
        row = await self.lookups.find(presented.session_id)
        return None if row is None else sessions.read(row)

    async def find_genuine(self, presented: PresentedRefreshToken | None) -> FoundSession | None:
        """Return the session of a genuine refresh token of any generation, ended or not."""
        found = None if presented is None else await self.find(presented)
        if presented is None or found is None or not self.handles.is_genuine(presented, found.session.salt):
            return None
        return found

    def judge(
        self,
        session: Session,
        owner: SessionOwner,
        presented: PresentedRefreshToken,
        client_id: str,
        now: datetime,
    ) -> Judgement:
        """Return what *presented* deserves at *now*; see `refresh_verdict`."""
        return judge(
            session,
            owner,
            Presented(presented.generation, self.handles.is_genuine(presented, session.salt), client_id),
            now=now,
            overlap=self.overlap,
            outage=self.database.outages.latest(),
            limits=self.sessions.limits,
        )

    def _moved(self, session: Session, verdict: Rotate | Repeat, now: datetime) -> Session:
        until = self.issuer.access_until(now, created_at=session.created_at)
        if isinstance(verdict, Repeat):
            return session._replace(last_used_at=now, access_until=until)
        return session._replace(
            last_used_at=now,
            access_until=until,
            generation=verdict.generation,
            server_key_id=self.server_keys.current.id,
        )

    def _use(
        self, found: FoundSession, moved: Session, verdict: Rotate | Repeat, copy: Copy | None
    ) -> SessionUse:
        if isinstance(verdict, Repeat):
            return session_use.repetition(found.session, moved, at_most=MAX_REPEATS)
        client_version = None if copy is None else copy.client.version
        return session_use.rotation(found, moved, client_version=client_version)

    async def _refuse(self, session: Session, verdict: Judgement) -> NoReturn:
        match verdict:
            case Replayed():
                # In a transaction of its own: no error on the way out may undo it.
                audit.record("refresh_replayed", **_ids(session))
                await self.sessions.end(session.id, reason="refresh_token_replayed")
            case RepeatedTooOften(retry_after):
                raise TooManyAttempts("This refresh token was presented too often.", retry_after=retry_after)
            case Refused(reason):
                audit.record("refresh_refused", reason=reason, **_ids(session))
        raise InvalidGrant(_NOT_GOOD)

    def _record(self, verdict: Judgement, session: Session) -> None:
        event: audit.Event = "refresh_repeated" if isinstance(verdict, Repeat) else "refresh_rotated"
        if isinstance(verdict, Rotate) and verdict.is_ahead:
            event = "refresh_ahead"
        audit.record(event, generation=session.generation, **_ids(session))


def _ids(session: Session) -> dict[str, object]:
    return {"session_id": session.id, "account_id": session.account_id, "client_id": session.client_id}
