"""What is let in: so many requests in work at a time, each with its body here already.

The body is awaited before the request counts, so bodies that come slowly, or never, take nobody's place.
Plain ASGI, and a number instead of a queue: a request that would wait is better told to come again.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authsvc.endpoints.error_responses import refusal
from authsvc.errors import BodyTooSlow, Refusal, Unavailable
from authsvc.metrics import REQUESTS_REFUSED

PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""They tell how the instance is, most of all when it is full."""


@dataclass(frozen=True)
class Limits:
    """What one process takes on."""

    requests: int = 1_000
    body_bytes: int = 64 * 1024
    body_seconds: float = 10.0


class Admission:
    """Turns away what is too much: 503 with `Retry-After`, and 408 for a body that does not come."""

    def __init__(self, app: ASGIApp, limits: Limits, oauth_paths: frozenset[str]) -> None:
        self._app = app
        self._limits = limits
        self._oauth_paths = oauth_paths
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        try:
            # No other method's body is ever read.
            if scope["method"] == "POST" and self._is_worth_reading(scope):
                receive = await self._with_body(receive)
            if self._in_work >= self._limits.requests:
                REQUESTS_REFUSED.labels("requests").inc()
                raise Unavailable("Too many requests are in work now.")
        except Refusal as error:
            response = refusal(error, speaks_oauth=scope["path"] in self._oauth_paths)
            await response(scope, receive, send)
            return
        self._in_work += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_work -= 1

    def _is_worth_reading(self, scope: Scope) -> bool:
        """Whether the body is not declared too long; if it is, the endpoint refuses it unread."""
        for name, value in scope["headers"]:
            if name == b"content-length":
                return not value.isdigit() or int(value) <= self._limits.body_bytes
        return True

    async def _with_body(self, receive: Receive) -> Receive:
        """Read the body, or of one without a length just more than may be, and return what gives it again.

        Raises:
            BodyTooSlow: it was not here in time.
        """
        messages: list[Message] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while size <= self._limits.body_bytes:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    messages.append(message)
                    size += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            REQUESTS_REFUSED.labels("body time").inc()
            raise BodyTooSlow("The body did not come in time.") from None
        messages.reverse()

        async def again() -> Message:
            return messages.pop() if messages else await receive()

        return again
