"""Postgres: the table `denied_token`, for single JWTs revoked before they expire."""

from datetime import datetime

from authsvc.storage.database import Transaction
from authsvc.storage.denial_rows import Mark
from authsvc.storage.dialect import insert
from authsvc.storage.tables import DeniedTokenRow


async def add(tx: Transaction, jti: str, *, expires_at: datetime, now: datetime, mark: Mark) -> None:
    """Deny the token; again is the same. *mark*: whether the denylist still has to hear of it."""
    await tx.execute(
        insert(tx, DeniedTokenRow)
        .values(jti=jti, expires_at=expires_at, denied_at=now, undelivered=mark)
        .on_conflict_do_nothing(index_elements=["jti"])
    )
