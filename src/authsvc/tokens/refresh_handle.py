"""Refresh tokens: the session, the generation, and a MAC that can be made again.

The MAC needs the server's key *and* the session's salt, so neither the secret nor the database is
enough to make a token; and because it can be computed again, a lost answer can be given again.
"""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from authsvc.secret_tokens import decode_base64url, encode_base64url, same_secret
from authsvc.server_keys import TAG_LENGTH, ServerKeys
from authsvc.storage.sessions import Session

PREFIX = "asvc_rt_"
SALT_LENGTH = 16
_ID_LENGTH, _GENERATION_LENGTH, _MAC_LENGTH = 16, 4, 32
_BODY_LENGTH = _ID_LENGTH + _GENERATION_LENGTH + _MAC_LENGTH
_LENGTH = len(PREFIX) + (_BODY_LENGTH + TAG_LENGTH) * 4 // 3


class PresentedRefreshToken(NamedTuple):
    """What somebody handed in, opened; its MAC is not checked yet."""

    session_id: UUID
    generation: int
    mac: bytes


@dataclass(frozen=True)
class RefreshHandles:
    """Mints, opens and checks refresh tokens."""

    server_keys: ServerKeys

    def mint(self, session: Session) -> str | None:
        """Return the session's refresh token; None if the key that minted it is no longer in force."""
        key = self.server_keys.find(session.server_key_id)
        if key is None:
            return None
        head = _head(session.id, session.generation)
        body = head + key.mac(session.salt, head)
        # Tagged by the same key, so that every instance writes the very same token.
        return PREFIX + encode_base64url(body + key.tag(body))

    def open(self, token: str) -> PresentedRefreshToken | None:
        """Return what *token* says, if its shape and its tag are ours; no I/O."""
        if not token.startswith(PREFIX) or len(token) != _LENGTH:
            return None
        data = decode_base64url(token.removeprefix(PREFIX))
        body = None if data is None else self.server_keys.untagged(data)
        if body is None:
            return None
        generation_end = _ID_LENGTH + _GENERATION_LENGTH
        return PresentedRefreshToken(
            session_id=UUID(bytes=body[:_ID_LENGTH]),
            generation=int.from_bytes(body[_ID_LENGTH:generation_end]),
            mac=body[generation_end:],
        )

    def is_genuine(self, presented: PresentedRefreshToken, salt: bytes) -> bool:
        """Whether one of our keys made this token for the session with this salt."""
        head = _head(presented.session_id, presented.generation)
        # Every key, because the row names only the one that minted the newest generation.
        return any(same_secret(key.mac(salt, head), presented.mac) for key in self.server_keys.all)


def _head(session_id: UUID, generation: int) -> bytes:
    return session_id.bytes + generation.to_bytes(_GENERATION_LENGTH)
