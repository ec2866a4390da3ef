"""Judge an access token by its shape: the shape decides which format it is, no other is tried."""

from dataclasses import dataclass
from datetime import datetime

from authsvc.tokens.access_token import DEAD, AccessToken, AccessTokenFormat, Glance, Verdict, live
from authsvc.tokens.jwt import JwtFormat
from authsvc.tokens.opaque import PREFIX as OPAQUE_PREFIX
from authsvc.tokens.opaque import OpaqueFormat
from authsvc.tokens.strict_jwt import MAX_LENGTH


@dataclass(frozen=True)
class TokenVerifier:
    """Judges tokens of both formats, whichever is issued now."""

    jwt: JwtFormat
    opaque: OpaqueFormat

    async def judge(self, token: str) -> Verdict | None:
        """Return the verdict on *token*; None if it is not an access token of ours, or has expired.

        Raises:
            Unavailable: the stores that could tell are away.
        """
        chosen = self._format_of(token)
        return None if chosen is None else await chosen.judge(token)

    async def verify(self, token: str) -> AccessToken | None:
        """Return the facts of *token* if it is live; raises as `judge`."""
        chosen = self._format_of(token)
        verdict = None if chosen is None else await chosen.judge(token)
        return live(verdict)

    def glance(self, token: str, now: datetime) -> Glance | None:
        """Return what the stores are to be asked of *token*; None if more has to be asked than that."""
        chosen = self._format_of(token)
        return DEAD if chosen is None else chosen.glance(token, now)

    async def revoke(self, token: str, facts: AccessToken) -> None:
        """Make this one token dead; raises `Unavailable` where that could not be made to last."""
        chosen = self._format_of(token)
        if chosen is not None:
            await chosen.revoke(token, facts)

    def _format_of(self, token: str) -> AccessTokenFormat | None:
        if token.startswith(OPAQUE_PREFIX):
            return self.opaque
        return self.jwt if len(token) <= MAX_LENGTH else None
