"""JWT access tokens (RFC 9068): what is in one, and what makes one good."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from authsvc.clock import Clock
from authsvc.errors import InvalidScope
from authsvc.scopes import format_scope, parse_scope
from authsvc.secret_tokens import fingerprint, new_id
from authsvc.storage import denied_tokens
from authsvc.storage.database import Database, Transaction
from authsvc.storage.delivery import Delivery
from authsvc.storage.denial import Denial
from authsvc.storage.key_withdrawals import LatestWithdrawal
from authsvc.storage.standing import Standings, TokenNames
from authsvc.tokens import strict_jwt
from authsvc.tokens.access_token import (
    DEAD,
    AccessToken,
    AccessTokenRequest,
    Glance,
    PreparedToken,
    Verdict,
)
from authsvc.tokens.audiences import Audiences
from authsvc.tokens.keys import KeyRing, SigningKey
from authsvc.tokens.refused_texts import RefusedTexts
from authsvc.tokens.verified_cache import SignedToken, VerifiedCache

NOT_BEFORE_LEEWAY = timedelta(seconds=5)
_LATEST = 253_402_300_799  # the last second of the year 9999, which is as far as datetime goes


@dataclass(frozen=True)
class JwtFormat:
    """Issues and judges JWT access tokens; revokes one by denying its `jti`."""

    database: Database
    delivery: Delivery
    standings: Standings
    keys: KeyRing
    audiences: Audiences
    issuer: str
    typ: str
    verified: VerifiedCache
    refused: RefusedTexts
    clock: Clock

    async def issue(self, tx: Transaction, request: AccessTokenRequest) -> str:
        """Return a signed JWT; nothing is stored.

        Raises:
            Unavailable: no key can sign, or none is known not to be withdrawn.
        """
        return self._signed(await self.keys.signer(tx), request)

    async def prepare(
        self, request: AccessTokenRequest, withdrawal: LatestWithdrawal | None
    ) -> PreparedToken:
        """Do the same outside of any transaction, as `AccessTokenFormat` says; raises as `issue`."""
        key = self.keys.current() if withdrawal is None else await self.keys.signer_after(withdrawal)
        return PreparedToken(self._signed(key, request), signed_after=self.keys.last_withdrawal)

    def _signed(self, key: SigningKey, request: AccessTokenRequest) -> str:
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": request.subject,
            "aud": request.audience,
            "client_id": request.client_id,
            "iat": int(request.issued_at.timestamp()),
            "exp": int(request.expires_at.timestamp()),
            "jti": str(new_id()),
        }
        if request.scope:
            claims["scope"] = format_scope(request.scope)
        if request.session_id is not None:
            claims |= {"sid": str(request.session_id), "username": request.username}
        return strict_jwt.sign(key, claims, typ=self.typ)

    async def judge(self, token: str) -> Verdict | None:
        """Return the verdict on *token*; None unless we signed it, for us, and it has not expired.

        Raises:
            Unavailable: neither the denylist nor the database could be asked.
        """
        sha256 = fingerprint(token)
        signed = self.verified.get(sha256)
        if signed is None:
            if self.refused.surely_include(sha256, self.keys, self.clock()):
                return None
            signed = await self._read(token, sha256)
        if signed is None or not self._is_in_force(signed, self.clock()):
            return None
        audience = signed.facts.audience
        if not (self.audiences.know(audience) or await self.audiences.include(audience)):
            return None
        return Verdict(signed.facts, await self.standings.ask(signed.names))

    def glance(self, token: str, now: datetime) -> Glance | None:
        """Return what Redis is to be asked; None if a key or an audience has to be asked for first."""
        sha256 = fingerprint(token)
        signed = self.verified.get(sha256)
        if signed is None:
            if self.refused.surely_include(sha256, self.keys, now):
                return DEAD
            try:
                signed = self._take(token, sha256, strict_jwt.claims_of(token, self.keys))
            except strict_jwt.UnknownKey:
                return None
        if signed is None or not self._is_in_force(signed, now):
            return DEAD
        return signed if self.audiences.know(signed.facts.audience) else None

    def _is_in_force(self, signed: SignedToken, now: datetime) -> bool:
        """Whether its key is not known to be withdrawn, and this is its time."""
        begins = signed.not_before
        return (
            self.keys.holds(signed.names.kid)
            and signed.facts.expires_at > now
            and (begins is None or begins <= now + NOT_BEFORE_LEEWAY)
        )

    async def _read(self, token: str, sha256: bytes) -> SignedToken | None:
        if await self.refused.include(sha256, self.keys):
            return None
        return self._take(token, sha256, await strict_jwt.read_claims(token, self.keys))

    def _take(
        self, token: str, sha256: bytes, read: tuple[str, strict_jwt.Claims] | None
    ) -> SignedToken | None:
        """Remember what *token* is by what was *read* in it, and return that; None if it is none of ours."""
        if read is None:
            self.refused.add(sha256, strict_jwt.kid_of(token), self.keys)
            return None
        kid, claims = read
        facts = self._facts(claims)
        if facts is None or facts.issuer != self.issuer:
            return None
        names = TokenNames(facts.id, kid, facts.client_id, facts.session_id)
        not_before = None if "nbf" not in claims else _moment(claims["nbf"])
        signed = SignedToken(facts, names, not_before)
        self.verified.keep(sha256, signed)
        return signed

    def _facts(self, claims: strict_jwt.Claims) -> AccessToken | None:
        names = ("iss", "sub", "aud", "client_id", "jti")
        texts = {name: value for name in names if isinstance(value := claims.get(name), str) and value}
        moments = {name: _moment(claims[name]) for name in ("iat", "exp", "nbf") if name in claims}
        issued_at, expires_at = moments.get("iat"), moments.get("exp")
        if len(texts) < len(names) or None in moments.values() or issued_at is None or expires_at is None:
            return None
        try:
            session_id = _optional(claims.get("sid"))
            username = claims.get("username")
            account_id = UUID(texts["sub"]) if session_id is not None else None
            scope = parse_scope(_text(claims.get("scope", "")))
        except (ValueError, InvalidScope):
            return None
        if (username is not None and not isinstance(username, str)) or (session_id is None) != (
            username is None
        ):
            return None
        # Thousands are remembered, and have few clients, audiences and accounts among them.
        return AccessToken(
            issuer=sys.intern(texts["iss"]),
            id=texts["jti"],
            client_id=sys.intern(texts["client_id"]),
            subject=texts["sub"],
            scope=scope,
            audience=sys.intern(texts["aud"]),
            issued_at=issued_at,
            expires_at=expires_at,
            session_id=session_id,
            account_id=account_id,
            username=None if username is None else sys.intern(username),
        )

    async def revoke(self, token: str, facts: AccessToken) -> None:  # noqa: ARG002 - one JWT has many spellings, so it goes by its id
        """Deny the token's `jti`: first in the database, which lasts, then in Redis.

        Raises:
            Unavailable: the database is away; the token still lives (RFC 7009 §2.2.1).
        """
        async with self.database.transaction() as tx:
            await denied_tokens.add(
                tx, facts.id, expires_at=facts.expires_at, now=self.clock(), mark=self.delivery.mark
            )
        await self.delivery.deliver([Denial.of_token(facts.id, until=facts.expires_at)])


def _moment(value: object) -> datetime | None:
    # A bool is an int in Python, and not a time in JSON.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        return None
    return datetime.fromtimestamp(value, tz=UTC)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a string")  # noqa: TRY004 - a malformed claim, not a mistake of the caller
    return value


def _optional(value: object) -> UUID | None:
    return None if value is None else UUID(_text(value))
