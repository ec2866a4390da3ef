"""What is let in: so many requests in work at a time, each with its body here already.

The body is awaited before the request counts, so bodies that come slowly, or never, take nobody's place.
Plain ASGI, and a number instead of a queue: a request that would wait is better told to come again.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authsvc.endpoints.error_responses import refusal
from authsvc.endpoints.within import within
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


class Room:
    """How many requests are in work, and what one may bring."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.in_work = 0

    @property
    def is_full(self) -> bool:
        """Whether the next one is too much."""
        return self.in_work >= self.limits.requests

    def has_room_for_body(self, declared: bytes | None) -> bool:
        """Whether the body is not *declared* too long; if it is, the endpoint refuses it unread."""
        return declared is None or not declared.isdigit() or int(declared) <= self.limits.body_bytes

    async def read(self, receive: Receive) -> list[Message]:
        """Return the messages of the body, or of one without a length just more than may be.

        Raises:
            BodyTooSlow: it was not here in time.
        """
        try:
            return await within(self.limits.body_seconds, self._gather(receive))
        except TimeoutError:
            REQUESTS_REFUSED.labels("body time").inc()
            raise BodyTooSlow("The body did not come in time.") from None

    async def _gather(self, receive: Receive) -> list[Message]:
        messages: list[Message] = []
        size = 0
        while size <= self.limits.body_bytes:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            messages.append(message)
            size += len(message.get("body", b""))
            if not message.get("more_body", False):
                break
        return messages


def again(messages: list[Message], receive: Receive) -> Receive:
    """Return what gives *messages* first, and then what *receive* gives."""
    left = messages[::-1]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again


class Admission:
    """Turns away what is too much: 503 with `Retry-After`, and 408 for a body that does not come."""

    def __init__(self, app: ASGIApp, room: Room, oauth_paths: frozenset[str]) -> None:
        self._app = app
        self._room = room
        self._oauth_paths = oauth_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        room = self._room
        try:
            # No other method's body is ever read.
            declared = next((value for name, value in scope["headers"] if name == b"content-length"), None)
            if scope["method"] == "POST" and room.has_room_for_body(declared):
                receive = again(await room.read(receive), receive)
            if room.is_full:
                REQUESTS_REFUSED.labels("requests").inc()
                raise Unavailable("Too many requests are in work now.")
        except Refusal as error:
            response = refusal(error, speaks_oauth=scope["path"] in self._oauth_paths)
            await response(scope, receive, send)
            return
        room.in_work += 1
        try:
            await self._app(scope, receive, send)
        finally:
            room.in_work -= 1
