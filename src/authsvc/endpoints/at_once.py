"""What is asked most often, answered before the router: introspection, `/verify`, refreshes, and logins.

What of it is ordinary stands in `ordinary.py`.

Saves: routing, dependency injection and a model of the form, which cost more than all the rest together.
Invariant: it answers only what is ordinary, by the operations that the endpoints use, and refuses what
those refuse as they do. What it does not recognise goes the endpoint's way with the body as it came.
On failure: as the endpoint.
To switch it off: `build_app(at_once=False)`.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from starlette.datastructures import State
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Message, Receive, Scope

from authsvc.endpoints import error_responses
from authsvc.endpoints.admission import Room, again
from authsvc.endpoints.glances import GLANCES
from authsvc.endpoints.ordinary import QUESTIONS, Asked, Headers, Told
from authsvc.endpoints.whole_answer import lines_of
from authsvc.errors import AuthError


class Answer(NamedTuple):
    """The route that would have answered a request, and what it is answered; the headers are lines."""

    route: BaseRoute
    status: int
    lines: bytes
    body: bytes

    @classmethod
    def of(cls, route: BaseRoute, response: Response) -> "Answer":
        """What *response* says."""
        return cls(route, response.status_code, lines_of(response.raw_headers), bytes(response.body))


def _refusal(route: BaseRoute, scope: Scope, error: AuthError) -> Answer:
    return Answer.of(route, error_responses.answer(Request({**scope, "route": route}), error))


class AtOnce:
    """Answers what it can of the requests to one application."""

    def __init__(self, state: State, room: Room, *, is_on: bool) -> None:
        self._state = state
        self._room = room
        self._is_on = is_on
        self.targets = frozenset(f"{QUESTIONS[path].method} {path}".encode() for path in GLANCES)

    async def answer(self, scope: Scope, receive: Receive) -> "Answer | Receive":
        """Return the answer, or else what the endpoint is to receive from."""
        question = QUESTIONS.get(scope["path"])
        if question is None or scope["method"] != question.method:
            return receive
        headers = self._of_ordinary(scope)
        if headers is None:
            return receive
        room, body = self._room, b""
        messages: list[Message] = []
        try:
            if question.has_body:
                if not room.has_room_for_body(headers.get(b"content-length")):
                    return receive
                messages = await room.read(receive)
                if messages[-1].get("more_body"):  # it is too long, or stopped coming
                    return again(messages, receive)
                parts = [message.get("body", b"") for message in messages]
                body = parts[0] if len(parts) == 1 else b"".join(parts)
            if room.is_full or len(body) > room.limits.body_bytes:
                return again(messages, receive)
            room.in_work += 1
            try:
                client = scope.get("client")
                asked = Asked(headers, body, client[0] if client else None)
                told = await question.ask(self._state.services, asked)
            finally:
                room.in_work -= 1
        except AuthError as error:
            return _refusal(question.route, scope, error)
        except ClientDisconnect:
            return again(messages, receive)  # which says so again, to whoever reads on
        except Exception:  # noqa: BLE001 - whatever it is; it is logged there, and only there
            return Answer.of(question.route, error_responses.unexpected())
        return again(messages, receive) if told is None else Answer(question.route, 200, *told)

    def glance(self, scope: Scope, body: bytes, tell: Callable[[Answer | None], None]) -> bool:
        """Answer a request that is here whole, if a glance is enough.

        *tell* is told the answer, once the stores have said what they know; None if it takes more.

        Returns:
            whether it is to be told anything; if not, nothing was begun.
        """
        path = scope["path"]
        begin, question = GLANCES.get(path), QUESTIONS.get(path)
        if begin is None or question is None or scope["method"] != question.method:
            return False
        headers, room = self._of_ordinary(scope), self._room
        if headers is None or room.is_full or len(body) > room.limits.body_bytes:
            return False
        route = question.route
        try:
            services = self._state.services
            check = begin(services, headers, body)
        except Exception:  # noqa: BLE001 - whatever it is, the endpoint meets it too
            return False

        def finish(told: Told | AuthError | None) -> None:
            room.in_work -= 1
            if isinstance(told, AuthError):
                tell(_refusal(route, scope, told))
            else:
                tell(None if told is None else Answer(route, 200, *told))

        if isinstance(check, AuthError):
            # Not before what has come is read: one read may bring a hundred of them.
            asyncio.get_running_loop().call_soon(tell, _refusal(route, scope, check))
            return True
        if check is None or not check.begin(services.stores.denylist, finish):
            return False
        room.in_work += 1
        return True

    def _of_ordinary(self, scope: Scope) -> Headers | None:
        """Return the headers, unless something of it needs the router, or what comes before that."""
        headers = dict(scope["headers"])
        # A header that is there twice is for the endpoint to judge, a page of a browser for CORS.
        is_ordinary = (
            self._is_on
            and not scope["query_string"]
            and len(headers) == len(scope["headers"])
            and b"origin" not in headers
        )
        return headers if is_ordinary else None
