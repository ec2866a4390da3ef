"""What an access token is, whatever its format."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from authsvc.scopes import Scope, format_scope
from authsvc.storage.access_tokens import OpaqueToken
from authsvc.storage.database import Transaction
from authsvc.storage.denylist import Found
from authsvc.storage.key_withdrawals import LatestWithdrawal
from authsvc.storage.standing import Standing
from authsvc.storage.token_rows import TokenAnswer, TokenRows

# `dumps` would make an encoder for each text.
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The facts of an access token. A client's own has no account, session or username.

    Thousands are remembered, and what has to be read of one at each check lies close together.
    """

    issuer: str
    id: str
    client_id: str
    subject: str
    scope: Scope
    audience: str
    issued_at: datetime
    expires_at: datetime
    session_id: UUID | None = None
    account_id: UUID | None = None
    username: str | None = None
    _description: bytes | None = field(default=None, init=False, repr=False, compare=False)
    _answers: dict[str, bytes] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def description(self) -> bytes:
        """What introspection says of it while it is live (RFC 7662 §2.2): JSON, UTF-8.

        Made once for each object; the memories of what tokens are keep those.
        """
        description = self._description
        if description is None:
            description = self._described()
            object.__setattr__(self, "_description", description)
        return description

    @property
    def answers(self) -> dict[str, bytes]:
        """What other endpoints say of it while it is live, by their paths; each makes its own, once."""
        answers = self._answers
        if answers is None:
            answers = {}
            object.__setattr__(self, "_answers", answers)
        return answers

    def _described(self) -> bytes:
        members: dict[str, str | int | bool] = {
            "active": True,
            "scope": format_scope(self.scope),
            "client_id": self.client_id,
            "token_type": "Bearer",
            "exp": int(self.expires_at.timestamp()),
            "iat": int(self.issued_at.timestamp()),
            "nbf": int(self.issued_at.timestamp()),
            "sub": self.subject,
            "aud": self.audience,
            "iss": self.issuer,
            "jti": self.id,
        }
        if self.username is not None:
            members["username"] = self.username
        if self.session_id is not None:
            members["sid"] = str(self.session_id)
        return _to_json(members).encode()


class Verdict(NamedTuple):
    """A token that is ours and has not expired, and how it stands."""

    token: AccessToken
    standing: Standing

    @property
    def is_live(self) -> bool:
        """Whether introspection calls it active."""
        return self.standing is Standing.LIVE


def live(verdict: Verdict | None) -> AccessToken | None:
    """Return the token of *verdict*, if there is one and it is live."""
    return verdict.token if verdict is not None and verdict.is_live else None


class DeniableGlance(Protocol):
    """A token of which nothing is left to be known but what the denylist says of it now."""

    @property
    def entries(self) -> tuple[str, ...]:
        """Those that would concern it."""

    def live(self, found: Found, /) -> AccessToken | None:
        """Return it, if it is live by the entries that were *found*."""


class RowGlance:
    """A token of which nothing is left to be known but what the database says of it now."""

    __slots__ = ("rows", "sha256")

    def __init__(self, rows: TokenRows, sha256: bytes) -> None:
        """*rows* finds its row, or so much of it as has to be known."""
        self.rows = rows
        self.sha256 = sha256

    @property
    def clients(self) -> tuple[str, ...]:
        """The ids of those of which has to be told beside the row."""
        raise NotImplementedError

    def live(self, told: TokenAnswer) -> AccessToken | None:
        """Return it, if it is live by what was *told*.

        Raises:
            RowChanged: more of its row has to be known.
        """
        raise NotImplementedError


Glance = DeniableGlance | RowGlance


class RowChanged(Exception):
    """What was known of a token's row holds no more."""


class _Dead:
    entries = ()

    def live(self, found: Found) -> None:
        """Return None, whatever they say."""


DEAD: Final[DeniableGlance] = _Dead()
"""What is not ours, or has expired."""


class AccessTokenRequest(NamedTuple):
    """What to issue. Both moments are whole seconds; `number` counts within the session."""

    client_id: str
    subject: str
    scope: Scope
    audience: str
    issued_at: datetime
    expires_at: datetime
    session_id: UUID | None = None
    username: str | None = None
    number: int = 0


class PreparedToken(NamedTuple):
    """A token that is good once *row* is stored; one without is signed, and is good at once.

    `signed_after` is the latest withdrawal of a key that was known when it was signed.
    """

    text: str
    row: OpaqueToken | None = None
    signed_after: LatestWithdrawal | None = None


class AccessTokenFormat(Protocol):
    """One of the two formats."""

    async def issue(self, tx: Transaction, request: AccessTokenRequest) -> str:
        """Return a new token; what it stores lives or dies with *tx*."""

    async def prepare(
        self, request: AccessTokenRequest, withdrawal: LatestWithdrawal | None
    ) -> PreparedToken:
        """Return a new token; nothing is stored yet.

        No key signs it that was withdrawn by *withdrawal*; without one, none that is known here to be.
        """

    async def judge(self, token: str) -> Verdict | None:
        """Return the verdict on a token of this format; None if it is not ours, or has expired."""

    def glance(self, token: str, now: datetime) -> Glance | None:
        """Return what the stores are to be asked; None if more has to be asked than that."""

    async def revoke(self, token: str, facts: AccessToken) -> None:
        """Make this one token dead for every check that begins after the return (RFC 7009)."""
