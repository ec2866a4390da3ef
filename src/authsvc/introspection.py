"""Token introspection (RFC 7662): starts from inactive and earns active."""

import json
from dataclasses import dataclass
from datetime import datetime

from authsvc.clients import Client
from authsvc.clock import Clock
from authsvc.grants.refresh_token import RefreshTokenGrant
from authsvc.grants.refresh_verdict import Repeat, Rotate
from authsvc.scopes import format_scope
from authsvc.tokens.access_token import AccessToken, Glance
from authsvc.tokens.refresh_handle import PREFIX as REFRESH_PREFIX
from authsvc.tokens.verifier import TokenVerifier

Description = bytes
"""The JSON of an answer, in UTF-8."""

INACTIVE: Description = b'{"active":false}'


def description_for(caller: Client, live: AccessToken | None) -> Description:
    """Return what *caller* may be told of an access token, if there is one that is live."""
    if live is None or not (caller.may_introspect or live.client_id == caller.id):
        return INACTIVE
    return live.description


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
        return description_for(caller, await self.verifier.verify(token))

    def glance(self, token: str, now: datetime) -> Glance | None:
        """Return what `TokenVerifier.glance` returns of an access token; None for a refresh token."""
        return None if token.startswith(REFRESH_PREFIX) else self.verifier.glance(token, now)

    async def _refresh_token(self, token: str, caller: Client) -> Description:
        presented = self.refresh.handles.open(token)
        found = None if presented is None else await self.refresh.find(presented)
        if presented is None or found is None:
            return INACTIVE
        session, owner = found.session, found.owner
        verdict = self.refresh.judge(session, owner, presented, caller.id, self.clock())
        if not isinstance(verdict, Rotate | Repeat):
            return INACTIVE
        limits = self.refresh.sessions.limits
        until = limits.end_of(created_at=session.created_at, last_used_at=session.last_used_at)
        described = {
            "active": True,
            "scope": format_scope(session.scope),
            "client_id": session.client_id,
            "username": owner.username,
            # Resource servers take only Bearer, and so never a refresh token.
            "token_type": "refresh_token",
            "exp": int(until.timestamp()),
            "iat": int(session.rotated_at.timestamp()),
            "sub": str(session.account_id),
            "iss": self.issuer,
            "sid": str(session.id),
        }
        return json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
