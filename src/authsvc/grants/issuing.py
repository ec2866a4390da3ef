"""Make the access token and the refresh token that a grant ends in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from authsvc.clients import Client
from authsvc.clock import Clock
from authsvc.scopes import Scope
from authsvc.sessions import SessionLimits
from authsvc.storage.database import Transaction
from authsvc.storage.key_withdrawals import LatestWithdrawal
from authsvc.storage.sessions import Session
from authsvc.tokens.access_token import AccessTokenFormat, AccessTokenRequest, PreparedToken
from authsvc.tokens.refresh_handle import RefreshHandles


class IssuedTokens(NamedTuple):
    """What a token endpoint answers with (RFC 6749 §5.1). `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    scope: Scope
    refresh_token: str | None = None


class Granted(NamedTuple):
    """What was granted, to whom, on behalf of whom."""

    client: Client
    username: str
    scope: Scope


@dataclass(frozen=True)
class TokenIssuer:
    """Issues access tokens in the format that is configured."""

    format: AccessTokenFormat
    handles: RefreshHandles
    lifetime: timedelta
    limits: SessionLimits
    audience: str
    clock: Clock

    def access_until(self, now: datetime, *, created_at: datetime) -> datetime:
        """Return when an access token issued at *now* expires: never after its session could be over.

        In whole seconds, counted from `iat`, since that is what a JWT can say (RFC 7519 §4.1.4).
        """
        limit = self.limits.end_of(created_at=created_at, last_used_at=now)
        return min(now + self.lifetime, limit).replace(microsecond=0)

    async def for_session(
        self, session: Session, granted: Granted, withdrawal: LatestWithdrawal | None = None
    ) -> tuple[IssuedTokens, PreparedToken]:
        """Make an access token for *session* as it is to be written after this, and its refresh token.

        The row's `access_until` and `access_tokens_issued` have been raised already. No key signs that was
        withdrawn by *withdrawal*; without one, none that is known here to be.

        Returns:
            the tokens, and what has to be written for the access token to be good.

        Raises:
            Unavailable: no key can sign.
        """
        request = self._request(session, granted)
        prepared = await self.format.prepare(request, withdrawal)
        return self._answer(prepared.text, request, self._successor(session, granted)), prepared

    def _request(self, session: Session, granted: Granted) -> AccessTokenRequest:
        return AccessTokenRequest(
            client_id=granted.client.id,
            subject=str(session.account_id),
            scope=granted.scope,
            audience=granted.client.audience or self.audience,
            issued_at=session.last_used_at.replace(microsecond=0),
            expires_at=session.access_until,
            session_id=session.id,
            username=granted.username,
            number=session.access_tokens_issued,
        )

    def _successor(self, session: Session, granted: Granted) -> str | None:
        return self.handles.mint(session) if "refresh_token" in granted.client.grants else None

    async def for_client(self, tx: Transaction, client: Client, scope: Scope) -> IssuedTokens:
        """Issue an access token that is the client's own (RFC 6749 §4.4); no refresh token."""
        now = self.clock().replace(microsecond=0)
        request = AccessTokenRequest(
            client_id=client.id,
            subject=client.id,
            scope=scope,
            audience=client.audience or self.audience,
            issued_at=now,
            expires_at=now + self.lifetime,
        )
        return self._answer(await self.format.issue(tx, request), request, None)

    def _answer(
        self, access_token: str, request: AccessTokenRequest, refresh_token: str | None
    ) -> IssuedTokens:
        return IssuedTokens(
            access_token=access_token,
            expires_in=(request.expires_at - request.issued_at) // timedelta(seconds=1),
            scope=request.scope,
            refresh_token=refresh_token,
        )
