"""Security events: one structured line and one count each, never a secret.

Request id and address are added by `logs.py`; `endpoints/middleware.py` says what they are.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Literal

import structlog
from prometheus_client import Counter

from authsvc.metrics import EVENTS

Event = Literal[
    "account_changed",
    "client_authentication_failed",
    "client_changed",
    "client_tokens_issued",
    "denial_undelivered",
    "key_revoked",
    "key_rotated",
    "login_failed",
    "login_succeeded",
    "login_throttled",
    "password_changed",
    "refresh_ahead",
    "refresh_refused",
    "refresh_repeated",
    "refresh_replayed",
    "refresh_rotated",
    "session_ended",
    "token_revoked",
]

_log = structlog.stdlib.get_logger("authsvc.audit")


@dataclass(frozen=True)
class Origin:
    """Where a request came from, as it is kept with a session."""

    address: str | None = None
    user_agent: str | None = None


def concerning(**ids: str) -> AbstractContextManager[None]:
    """Let every event of the block carry *ids*, which those who record it need not know."""
    return structlog.contextvars.bound_contextvars(**ids)


def record(event: Event, **fields: object) -> None:
    """Log and count one event. *fields* are ids and reasons; a token goes in as a short hash at most."""
    _counter(event).inc()
    _log.info(event, **{name: str(value) for name, value in fields.items() if value is not None})


@cache
def _counter(event: Event) -> Counter:
    return EVENTS.labels(event)
