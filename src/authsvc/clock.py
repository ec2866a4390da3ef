"""Where time enters the service: every operation that needs it has a `Clock` field."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present moment as an aware `datetime` in UTC."""


def system_clock() -> datetime:
    """Return what this host takes for now, in UTC."""
    return datetime.now(UTC)
