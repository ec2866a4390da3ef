"""Redis: the denylist, an index of what Postgres says is denied (RFC 7009 for JWTs).

A denial names an id, never a token's text: one JWT has more than one accepted spelling.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from redis.asyncio import Redis

from authsvc.metrics import DENIALS
from authsvc.storage.redis_client import NAMESPACE, redis_errors

SAFETY = timedelta(seconds=60)
"""How much longer than the last token it denies a denial lives."""

_PORTION = 500  # packing twenty thousand commands at once would hold up the event loop for a second


@dataclass(frozen=True)
class Denial:
    """One name that refuses every token bearing it."""

    key: str

    @classmethod
    def of_token(cls, jti: str) -> "Denial":
        """One access token."""
        return cls(f"jti:{jti}")

    @classmethod
    def of_session(cls, session_id: UUID) -> "Denial":
        """Every access token of a session."""
        return cls(f"sid:{session_id}")

    @classmethod
    def of_account(cls, account_id: UUID) -> "Denial":
        """Every access token of an account, while it is disabled."""
        return cls(f"sub:{account_id}")

    @classmethod
    def of_client(cls, client_id: str) -> "Denial":
        """Every access token of a client, while it is disabled."""
        return cls(f"client:{client_id}")

    @classmethod
    def of_key(cls, kid: str) -> "Denial":
        """Every access token that a withdrawn key signed."""
        return cls(f"kid:{kid}")


@dataclass(frozen=True)
class Denylist:
    """The denylist of one Redis."""

    redis: Redis

    async def which(self, denials: Sequence[Denial]) -> frozenset[Denial]:
        """Return which of *denials* are in force; one round trip.

        Raises:
            RedisAway: it could not be asked.
        """
        with redis_errors():
            answers = await self.redis.mget([_name(denial) for denial in denials])
        return frozenset(
            denial for denial, answer in zip(denials, answers, strict=True) if answer is not None
        )

    async def deny(self, denials: Iterable[tuple[Denial, timedelta | None]]) -> None:
        """Put *denials* in force, each for its life (a relative one: Redis may have another clock).

        Raises:
            RedisAway: some or all could not be written.
        """
        written = list(denials)
        for start in range(0, len(written), _PORTION):
            await self._deny_some(written[start : start + _PORTION])
        DENIALS.inc(len(written))

    async def _deny_some(self, denials: Sequence[tuple[Denial, timedelta | None]]) -> None:
        with redis_errors():
            async with self.redis.pipeline(transaction=False) as pipeline:
                for denial, life in denials:
                    pipeline.set(
                        _name(denial), b"1", px=None if life is None else _milliseconds(life + SAFETY)
                    )
                await pipeline.execute()

    async def lift(self, denial: Denial) -> None:
        """Take a denial out of force.

        Raises:
            RedisAway: it could not be written.
        """
        with redis_errors():
            await self.redis.delete(_name(denial))


def _name(denial: Denial) -> str:
    return f"{NAMESPACE}deny:{denial.key}"


def _milliseconds(life: timedelta) -> int:
    return max(1, life // timedelta(milliseconds=1))
