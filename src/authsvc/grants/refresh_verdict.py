"""Judge a presented refresh token: a pure function of the row, the token and the time.

The order is fixed: client, MAC, ended, generation, account and limits. Nothing before the client
matched may leave a trace, and nothing but a replay ends a session.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from authsvc.sessions import SessionLimits
from authsvc.storage.outage import Outage
from authsvc.storage.sessions import Session, SessionOwner

MAX_REPEATS = 100
"""How often one generation's successor is given again before 429."""


@dataclass(frozen=True)
class Rotate:
    """Mint the next generation."""

    generation: int
    is_ahead: bool = False


@dataclass(frozen=True)
class Repeat:
    """Give the same successor again: its answer was lost, or another process shares the token."""


@dataclass(frozen=True)
class RepeatedTooOften:
    """The overlap is being hammered."""

    retry_after: int


@dataclass(frozen=True)
class Replayed:
    """The token is in two hands; we cannot tell whose (RFC 9700 §4.14.2)."""


@dataclass(frozen=True)
class Refused:
    """Not good, and no proof of theft."""

    reason: str


Judgement = Rotate | Repeat | RepeatedTooOften | Replayed | Refused


class Presented(NamedTuple):
    """What was handed in: its generation, whether its MAC is ours, and by whom."""

    generation: int
    is_genuine: bool
    client_id: str


def judge(
    session: Session,
    owner: SessionOwner,
    presented: Presented,
    *,
    now: datetime,
    overlap: timedelta,
    outage: Outage | None,
    limits: SessionLimits,
) -> Judgement:
    """Return what to do about *presented*; *outage* is the latest of this instance's database."""
    if presented.client_id != session.client_id:
        return Refused("other client")
    if not presented.is_genuine:
        return Refused("forged")
    if session.ended_at is not None:
        return Refused("session ended")
    overlap_end = _overlap_end(session.rotated_at, overlap, outage)
    # The clock of the instance that rotated may be a little ahead of ours.
    remaining = overlap_end - max(now, session.rotated_at)
    is_predecessor = presented.generation == session.generation - 1
    if presented.generation < session.generation and not (is_predecessor and remaining > timedelta(0)):
        return Replayed()
    if owner.is_disabled:
        return Refused("account disabled")
    limit = limits.end_of(created_at=session.created_at, last_used_at=session.last_used_at)
    # A token needs a whole second to live in; `exp` has no fractions.
    if limit.replace(microsecond=0) - now < timedelta(seconds=1):
        return Refused("session expired")
    if is_predecessor:
        if session.repeats >= MAX_REPEATS:
            return RepeatedTooOften(retry_after=max(1, -(-remaining // timedelta(seconds=1))))
        return Repeat()
    # A generation ahead of the row, with a good MAC, proves that the database lost writes.
    return Rotate(presented.generation + 1, is_ahead=presented.generation > session.generation)


def _overlap_end(rotated_at: datetime, overlap: timedelta, outage: Outage | None) -> datetime:
    """Return when the predecessor is a replay: an overlap that an outage cut short begins anew after it."""
    end = rotated_at + overlap
    if outage is None or outage.lost_at >= end:
        return end
    return max(end, outage.returned_at + overlap)
