"""How a well-signed JWT stands now: one question, put to Redis, or to Postgres where Redis is not.

Postgres is the authority; what it would answer is what Redis answers, only later if a denial is
still on its way.
"""

import sys
from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from authsvc.metrics import FALLBACKS
from authsvc.storage.database import Database
from authsvc.storage.denial import ClientEntry
from authsvc.storage.denylist import Denylist, Found
from authsvc.storage.redis_client import RedisAway
from authsvc.storage.tables import AccountRow, ClientRow, DeniedTokenRow, SessionRow, SigningKeyRow


class Standing(Enum):
    """What the stores say of a token whose signature and times are good."""

    LIVE = "live"
    SESSION_ENDED = "session ended"
    DENIED = "denied"


Entries = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class TokenNames:
    """Everything by which a JWT can be denied."""

    jti: str
    kid: str
    client_id: str
    session_id: UUID | None
    _entries: Entries | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def entries(self) -> Entries:
        """The keys in the denylist that would concern it: of the token, its key, its client, its session."""
        entries = self._entries
        if entries is None:
            # Thousands of tokens are remembered, and have few keys and clients among them.
            key, client = sys.intern(f"kid:{self.kid}"), sys.intern(f"client:{self.client_id}")
            entries = f"jti:{self.jti}", key, client, f"sid:{self.session_id}"
            object.__setattr__(self, "_entries", entries)
        return entries


@dataclass(frozen=True)
class Standings:
    """Asks how tokens stand."""

    database: Database
    denylist: Denylist | None

    async def ask(self, names: TokenNames) -> Standing:
        """Return how the token stands.

        Raises:
            Unavailable: neither store could be asked.
        """
        if self.denylist is not None:
            try:
                found = await self.denylist.find(names.entries)
            except RedisAway:
                FALLBACKS.inc()
            else:
                return told_by(found, names)
        return await self._ask_postgres(names)

    async def _ask_postgres(self, names: TokenNames) -> Standing:
        statement = (
            sa.select(
                col(DeniedTokenRow.jti),
                col(SessionRow.ended_at),
                sa.and_(
                    col(ClientRow.disabled_at).is_(None),
                    col(AccountRow.disabled_at).is_(None),
                    col(SigningKeyRow.revoked_at).is_(None),
                    col(DeniedTokenRow.jti).is_(None),
                    # A row that should be there and is not gives no evidence that the token is good.
                    col(SigningKeyRow.kid).is_not(None),
                    sa.true() if names.session_id is None else col(SessionRow.id).is_not(None),
                ),
            )
            .select_from(ClientRow)
            .outerjoin(SessionRow, col(SessionRow.id) == names.session_id)
            .outerjoin(AccountRow, col(AccountRow.id) == col(SessionRow.account_id))
            .outerjoin(SigningKeyRow, col(SigningKeyRow.kid) == names.kid)
            .outerjoin(DeniedTokenRow, col(DeniedTokenRow.jti) == names.jti)
            .where(col(ClientRow.id) == names.client_id)
        )
        async with self.database.reading() as tx:
            row = (await tx.execute(statement)).one_or_none()
        if row is None:
            return Standing.DENIED
        denied_jti, ended_at, undenied = row
        if denied_jti is None and ended_at is not None:
            return Standing.SESSION_ENDED
        return Standing.LIVE if undenied else Standing.DENIED


def told_by(found: Found, names: TokenNames) -> Standing:
    """Return what the entries that were *found* say of the token; others may be among them."""
    if not found:
        return Standing.LIVE
    token, key, client, session = names.entries
    # A token revoked for itself stays denied when its session ends too: it is nobody's to log out by.
    if token in found:
        return Standing.DENIED
    if session in found:
        return Standing.SESSION_ENDED
    is_suspended = client in found and ClientEntry.read(found[client]).is_disabled
    return Standing.DENIED if key in found or is_suspended else Standing.LIVE
