"""Opaque access tokens: random, and only their SHA-256 is in the database."""

from dataclasses import dataclass
from datetime import datetime

from authsvc.clock import Clock
from authsvc.secret_tokens import decode_base64url, encode_base64url, fingerprint, new_random_bytes
from authsvc.server_keys import TAG_LENGTH, ServerKeys
from authsvc.storage import access_tokens
from authsvc.storage.access_tokens import OpaqueToken, TokenSurroundings
from authsvc.storage.database import Database, Row, Transaction
from authsvc.storage.denylist import Found
from authsvc.storage.key_withdrawals import LatestWithdrawal
from authsvc.storage.lookups import Lookups
from authsvc.storage.standing import Standing
from authsvc.tokens.access_token import (
    DEAD,
    AccessToken,
    AccessTokenRequest,
    Glance,
    PreparedToken,
    Verdict,
    live,
)
from authsvc.tokens.row_memory import RowMemory

PREFIX = "asvc_at_"
_SECRET_LENGTH = 32
_LENGTH = len(PREFIX) + -(-(_SECRET_LENGTH + TAG_LENGTH) * 4 // 3)


@dataclass(frozen=True)
class OpaqueFormat:
    """Issues and judges opaque access tokens; revokes one by deleting its row."""

    database: Database
    lookups: Lookups[bytes]
    memory: RowMemory
    server_keys: ServerKeys
    issuer: str
    clock: Clock

    async def issue(self, tx: Transaction, request: AccessTokenRequest) -> str:
        """Return a new token and store its SHA-256."""
        text, row = self._made(request)
        await access_tokens.insert(tx, row)
        return text

    async def prepare(
        self,
        request: AccessTokenRequest,
        withdrawal: LatestWithdrawal | None,  # noqa: ARG002 - no key signs it
    ) -> PreparedToken:
        """Return a new token and the row that makes it good."""
        return PreparedToken(*self._made(request))

    def _made(self, request: AccessTokenRequest) -> tuple[str, OpaqueToken]:
        text = PREFIX + encode_base64url(self.server_keys.tagged(new_random_bytes(_SECRET_LENGTH)))
        return text, OpaqueToken(
            sha256=fingerprint(text),
            session_id=request.session_id,
            client_id=request.client_id,
            number=request.number,
            scope=request.scope,
            audience=request.audience,
            issued_at=request.issued_at,
            expires_at=request.expires_at,
        )

    async def judge(self, token: str) -> Verdict | None:
        """Return the verdict on *token*; None if it is not in the database, or has expired.

        Raises:
            Unavailable: the database is away.
        """
        sha256 = self._sha256(token)
        return None if sha256 is None else self.verdict(sha256, await self.lookups.find(sha256))

    def glance(self, token: str, now: datetime) -> Glance | None:  # noqa: ARG002 - its end stands in its row
        """Return what the database is to be asked; None where questions to it are not shared."""
        sha256 = self._sha256(token)
        if sha256 is None:
            return DEAD
        return _OpaqueGlance(self, sha256) if self.lookups.are_shared else None

    def _sha256(self, token: str) -> bytes | None:
        """Return by what the row of a token of ours is found; None if it is none of ours."""
        if len(token) != _LENGTH or not token.isascii():
            return None
        sha256 = fingerprint(token)
        return sha256 if self.memory.knows(sha256) or self._is_ours(token) else None

    def verdict(self, sha256: bytes, row: Row | None) -> Verdict | None:
        """Return the verdict by the *row* that was found; raises nothing."""
        if row is None:
            return None
        verdict = self.memory.recall(sha256, row) or self.memory.remember(sha256, row, self._read(row))
        return None if verdict.token.expires_at <= self.clock() else verdict

    def _read(self, row: Row) -> Verdict:
        stored, around = access_tokens.read(row)
        return Verdict(_facts(stored, around, issuer=self.issuer), _standing(around))

    def _is_ours(self, token: str) -> bool:
        if not token.startswith(PREFIX):
            return False
        data = decode_base64url(token.removeprefix(PREFIX))
        return data is not None and self.server_keys.untagged(data) is not None

    async def revoke(self, token: str, facts: AccessToken) -> None:  # noqa: ARG002 - its row goes by its fingerprint
        """Delete the token's row.

        Raises:
            Unavailable: the database is away; the token still lives (RFC 7009 §2.2.1).
        """
        async with self.database.transaction() as tx:
            await access_tokens.remove(tx, fingerprint(token))


class _OpaqueGlance:
    """A token that may be ours: its row tells."""

    __slots__ = ("_format", "sha256")

    entries = ()

    def __init__(self, of_format: OpaqueFormat, sha256: bytes) -> None:
        self._format = of_format
        self.sha256 = sha256

    def live(self, found: Found, row: Row | None) -> AccessToken | None:  # noqa: ARG002 - the denylist holds none
        """Return its facts, if its row says that it is live."""
        return live(self._format.verdict(self.sha256, row))


def _standing(around: TokenSurroundings) -> Standing:
    if around.session_ended:
        return Standing.SESSION_ENDED
    return Standing.DENIED if around.is_suspended or around.is_superseded else Standing.LIVE


def _facts(stored: OpaqueToken, around: TokenSurroundings, *, issuer: str) -> AccessToken:
    return AccessToken(
        issuer=issuer,
        # Shown to callers as `jti`; half of the fingerprint, from which no token can be made.
        id=encode_base64url(stored.sha256[:16]),
        client_id=stored.client_id,
        subject=stored.client_id if around.account_id is None else str(around.account_id),
        scope=stored.scope,
        audience=stored.audience,
        issued_at=stored.issued_at,
        expires_at=stored.expires_at,
        session_id=stored.session_id,
        account_id=around.account_id,
        username=around.username,
    )
