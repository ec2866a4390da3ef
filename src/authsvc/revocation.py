"""Token revocation (RFC 7009), and logout by either token of a session."""

from dataclasses import dataclass
from typing import Literal

from authsvc import audit
from authsvc.clients import Client, ClientCredentials, Clients
from authsvc.errors import InsufficientScope, InvalidBearerToken, InvalidClient
from authsvc.grants.refresh_token import RefreshTokenGrant
from authsvc.scopes import ACCOUNT
from authsvc.sessions import Sessions
from authsvc.storage.standing import Standing
from authsvc.tokens.refresh_handle import PREFIX as REFRESH_PREFIX
from authsvc.tokens.verifier import TokenVerifier

LogoutScope = Literal["session", "others", "all"]


@dataclass(frozen=True)
class Revoker:
    """Revokes tokens for their clients, and logs users out."""

    verifier: TokenVerifier
    refresh: RefreshTokenGrant
    sessions: Sessions
    clients: Clients

    async def revoke(self, token: str, client: Client) -> None:
        """Revoke *token* if it was issued to *client*.

        A refresh token ends its session, an access token dies alone.

        Raises:
            Unavailable: the database is away; the token still lives (RFC 7009 §2.2.1).
        """
        if token.startswith(REFRESH_PREFIX):
            found = await self.refresh.find_genuine(self.refresh.handles.open(token))
            if found is not None and found.session.client_id == client.id:
                await self.sessions.end(found.session.id, reason="revoked")
            return
        verdict = await self.verifier.judge(token)
        if verdict is not None and verdict.token.client_id == client.id:
            await self.verifier.revoke(token, verdict.token)
            facts = verdict.token
            audit.record(
                "token_revoked",
                jti=facts.id,
                client_id=client.id,
                account_id=facts.account_id,
                session_id=facts.session_id,
            )

    async def log_out(self, access_token: str, *, scope: LogoutScope) -> bool:
        """Log out by an access token; False if it is none that ever could.

        A token whose session has ended already is as good as logged out, until it expires.

        Raises:
            InsufficientScope: the token is a client's own, or lacks the scope `account` for *scope*.
            InvalidBearerToken: *scope* needs a live token and this one is not.
            Unavailable: the database is away.
        """
        verdict = await self.verifier.judge(access_token)
        if verdict is None or verdict.standing is Standing.DENIED:
            return False
        facts = verdict.token
        if facts.session_id is None or facts.account_id is None:
            raise InsufficientScope("This token is a client's own; there is no user to log out.")
        if scope == "session":
            await self.sessions.end(facts.session_id, reason="logout")
            return True
        if not verdict.is_live:
            raise InvalidBearerToken
        if ACCOUNT not in facts.scope:
            raise InsufficientScope("Ending other sessions needs the scope 'account'.", scope=ACCOUNT)
        keep = facts.session_id if scope == "others" else None
        await self.sessions.end_all(facts.account_id, reason="logout", but=keep)
        return True

    async def log_out_by_refresh_token(self, refresh_token: str, credentials: ClientCredentials) -> bool:
        """End the session of *refresh_token*, of any generation; False if it is not ours.

        Raises:
            InvalidClient: its client is confidential and was not authenticated, or is another.
            Unavailable: the database is away.
        """
        found = await self.refresh.find_genuine(self.refresh.handles.open(refresh_token))
        if found is None:
            return False
        session = found.session
        owner = await self.clients.find(session.client_id)
        if not credentials.names_nobody or owner is None or owner.is_confidential:
            client = await self.clients.authenticate(credentials)
            if client.id != session.client_id:
                raise InvalidClient("The refresh token was issued to another client.")
        await self.sessions.end(session.id, reason="logout")
        return True
