"""Opaque access tokens: random, and only their SHA-256 is in the database."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from authsvc.clock import Clock
from authsvc.errors import InvalidScope
from authsvc.secret_tokens import decode_base64url, encode_base64url, fingerprint, new_random_bytes
from authsvc.server_keys import TAG_LENGTH, ServerKeys
from authsvc.storage import access_tokens
from authsvc.storage.access_tokens import FoundToken, OpaqueToken, read_standing, read_state
from authsvc.storage.database import Database, Transaction
from authsvc.storage.key_withdrawals import LatestWithdrawal
from authsvc.storage.lookups import Lookups
from authsvc.storage.standing import Standing
from authsvc.storage.token_rows import TokenAnswer, TokenRows
from authsvc.tokens.access_token import (
    DEAD,
    AccessToken,
    AccessTokenRequest,
    Glance,
    PreparedToken,
    RowChanged,
    RowGlance,
    Verdict,
    live,
)
from authsvc.tokens.row_memory import KnownRow, RowMemory

PREFIX = "asvc_at_"
_SECRET_LENGTH = 32
_LENGTH = len(PREFIX) + -(-(_SECRET_LENGTH + TAG_LENGTH) * 4 // 3)


@dataclass(frozen=True)
class OpaqueFormat:
    """Issues and judges opaque access tokens; revokes one by deleting its row."""

    database: Database
    lookups: Lookups[bytes]
    rows: TokenRows
    state_rows: TokenRows
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
        if not self.lookups.are_shared:
            return None
        known = self.memory.get(sha256)
        return _NewGlance(self, sha256) if known is None else _KnownGlance(self, sha256, known)

    def _sha256(self, token: str) -> bytes | None:
        """Return by what the row of a token of ours is found; None if it is none of ours."""
        if len(token) != _LENGTH or not token.isascii():
            return None
        sha256 = fingerprint(token)
        # There was a row of one that is remembered, which so has the tag of one of ours.
        return sha256 if sha256 in self.memory or self._is_ours(token) else None

    def verdict(self, sha256: bytes, row: Sequence[object] | None) -> Verdict | None:
        """Return the verdict by the *row* that was found, if one was that can be read; raises nothing."""
        if row is None:
            return None
        try:
            found = access_tokens.read(row)
        except InvalidScope:  # it is none that was written here
            return None
        return self.timely(self._known_facts(sha256, found), found.standing)

    def timely(self, facts: AccessToken, standing: Standing) -> Verdict | None:
        """Return the verdict on a token that stands so; None if it has expired."""
        return None if facts.expires_at <= self.clock() else Verdict(facts, standing)

    def _known_facts(self, sha256: bytes, found: FoundToken) -> AccessToken:
        if found.version is None:
            return _facts(sha256, found, issuer=self.issuer)
        known = self.memory.get(sha256)
        if known is None or not known.is_as(found.version, found.username):
            known = KnownRow(found.version, _facts(sha256, found, issuer=self.issuer))
            self.memory.keep(sha256, known)
        return known.facts

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


class _NewGlance(RowGlance):
    """One that may be ours: its whole row tells what it is, and of its client."""

    __slots__ = ("_format",)

    clients = ()

    def __init__(self, of_format: OpaqueFormat, sha256: bytes) -> None:
        super().__init__(of_format.rows, sha256)
        self._format = of_format

    def live(self, told: TokenAnswer) -> AccessToken | None:
        """Return its facts, if its row says that it is live."""
        return live(self._format.verdict(self.sha256, told.rows.get(self.sha256)))


class _KnownGlance(RowGlance):
    """One that is ours, and is as it was if its row is of the same version."""

    __slots__ = ("_format", "_known")

    def __init__(self, of_format: OpaqueFormat, sha256: bytes, known: KnownRow) -> None:
        super().__init__(of_format.state_rows, sha256)
        self._format = of_format
        self._known = known

    @property
    def clients(self) -> tuple[str, ...]:
        """The token's own."""
        return (self._known.facts.client_id,)

    def live(self, told: TokenAnswer) -> AccessToken | None:
        """Return its facts, if what can change of its row says that it is live, and so does its client.

        Raises:
            RowChanged: the row is of another version, or the account has another name.
        """
        row = told.rows.get(self.sha256)
        if row is None:
            return None
        _, version, username, has_ended, is_denied = read_state(row)
        if not self._known.is_as(version, username):
            raise RowChanged
        client = told.clients.get(self._known.facts.client_id)
        is_suspended = client is None or client.is_disabled
        standing = read_standing(has_ended=has_ended, is_denied=is_denied or is_suspended)
        return live(self._format.timely(self._known.facts, standing))


def _facts(sha256: bytes, found: FoundToken, *, issuer: str) -> AccessToken:
    # Thousands are remembered, and have few clients, audiences and accounts among them.
    return AccessToken(
        issuer=issuer,
        # Shown to callers as `jti`; half of the fingerprint, from which no token can be made.
        id=encode_base64url(sha256[:16]),
        client_id=sys.intern(found.client_id),
        subject=found.client_id if found.account_id is None else str(found.account_id),
        scope=found.scope,
        audience=sys.intern(found.audience),
        issued_at=found.issued_at,
        expires_at=found.expires_at,
        session_id=found.session_id,
        account_id=found.account_id,
        username=None if found.username is None else sys.intern(found.username),
    )
