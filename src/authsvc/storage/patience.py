"""A start that waits for a database that is still to come, and not for one that will never do."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable

import structlog

from authsvc.errors import OperatorError, Unavailable, reason
from authsvc.storage.complaints import REFUSES_TLS

PAUSE_SECONDS = 1.0

# A refused login, no such database, a right that was not granted (the beginnings of SQLSTATE).
_FOR_GOOD = ("28", "3D", "42")

_log = structlog.stdlib.get_logger("authsvc.start")


async def patiently(prepare: Callable[[], Awaitable[None]], *, seconds: float) -> None:
    """Await *prepare*, again and again for so many seconds while all it lacks is a database that answers.

    Raises:
        OperatorError, Unavailable: what *prepare* raised last, or what no waiting would mend.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await prepare()
        except (OperatorError, Unavailable) as refusal:
            away = refusal if isinstance(refusal, Unavailable) else refusal.__cause__
            left = deadline - time.monotonic()
            if not isinstance(away, Unavailable) or _is_for_good(away) or left < PAUSE_SECONDS:
                raise
            _log.warning("waiting_for_database", reason=reason(away), seconds_left=round(left))
        await asyncio.sleep(PAUSE_SECONDS)


def _is_for_good(away: Unavailable) -> bool:
    error = getattr(away.__cause__, "orig", None) or away.__cause__
    if isinstance(error, ssl.SSLCertVerificationError) or hasattr(error, "sqlite_errorname"):
        return True
    if REFUSES_TLS in str(error):
        return True
    # A file of the driver's that cannot be read; what the network says names none.
    if getattr(error, "filename", None) is not None:
        return True
    return str(getattr(error, "sqlstate", None) or "").startswith(_FOR_GOOD)
