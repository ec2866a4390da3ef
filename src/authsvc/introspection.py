"""Token introspection (RFC 7662): starts from inactive and earns active."""

from dataclasses import dataclass
from datetime import datetime

from authsvc.clients import Client
from authsvc.clock import Clock
from authsvc.grants.refresh_token import RefreshTokenGrant
from authsvc.grants.refresh_verdict import Repeat, Rotate
from authsvc.scopes import format_scope
from authsvc.tokens.access_token import AccessToken
from authsvc.tokens.refresh_handle import PREFIX as REFRESH_PREFIX
from authsvc.tokens.verifier import TokenVerifier

Description = dict[str, str | int | bool]
INACTIVE: Description = {"active": False}


@dataclass(frozen=True)
class Introspector:
    """Tells a caller about a token, if it is live and the caller may see it. Changes nothing."""

    verifier: TokenVerifier
    refresh: RefreshTokenGrant
    issuer: str
    clock: Clock

    async def introspect(self, token: str, caller: Client) -> Description:
        """Return the token's description; of any other token nothing but `{"active": false}`.

        Raises:
            Unavailable: the stores that could tell are away.
        """
        if token.startswith(REFRESH_PREFIX):
            return await self._refresh_token(token, caller)
        facts = await self.verifier.verify(token)
        if facts is None or not (caller.may_introspect or facts.client_id == caller.id):
            return INACTIVE
        return self._access_token(facts)

    def _access_token(self, facts: AccessToken) -> Description:
        described: Description = {
            "active": True,
            "scope": format_scope(facts.scope),
            "client_id": facts.client_id,
            "token_type": "Bearer",
            "exp": _seconds(facts.expires_at),
            "iat": _seconds(facts.issued_at),
            "nbf": _seconds(facts.issued_at),
            "sub": facts.subject,
            "aud": facts.audience,
            "iss": self.issuer,
            "jti": facts.id,
        }
        if facts.username is not None:
            described["username"] = facts.username
        if facts.session_id is not None:
            described["sid"] = str(facts.session_id)
        return described

    async def _refresh_token(self, token: str, caller: Client) -> Description:
        presented = self.refresh.handles.open(token)
        found = None if presented is None else await self.refresh.find(presented)
        if presented is None or found is None:
            return INACTIVE
        session, owner = found
        verdict = self.refresh.judge(session, owner, presented, caller.id, self.clock())
        if not isinstance(verdict, Rotate | Repeat):
            return INACTIVE
        limits = self.refresh.sessions.limits
        until = limits.end_of(created_at=session.created_at, last_used_at=session.last_used_at)
        return {
            "active": True,
            "scope": format_scope(session.scope),
            "client_id": session.client_id,
            "username": owner.username,
            # Resource servers take only Bearer, and so never a refresh token.
            "token_type": "refresh_token",
            "exp": _seconds(until),
            "iat": _seconds(session.rotated_at),
            "sub": str(session.account_id),
            "iss": self.issuer,
            "sid": str(session.id),
        }


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
