"""The two questions that come with every request of every other service, answered before the router.

Saves: routing, dependency injection and a model of the form, which cost more than all the rest together.
Invariant: it answers only what is ordinary, by the operations that the endpoints use. What it does not
recognise goes the endpoint's way with the body as it came; there every refusal is worded, but for a bad
Bearer token at /verify and for stores that are away.
On failure: as the endpoint.
To switch it off: leave it out of `app.py`.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authsvc.endpoints import error_responses, introspect, verify
from authsvc.errors import AuthError, InvalidBearerToken
from authsvc.wiring import Services

_HINT = rb"token_type_hint=(?:access|refresh)_token"
_FORM = re.compile(rb"(?:%b&)?token=([A-Za-z0-9_.-]+)(?:&%b)?" % (_HINT, _HINT))
_FORM_TYPE = b"application/x-www-form-urlencoded"
# Nothing in it could be an escape, so it has one reading.
_CREDENTIALS = re.compile(rb"([A-Za-z0-9_.~-]+):([A-Za-z0-9_.~-]+)")
_BEARER = re.compile(rb"[Bb]earer ([A-Za-z0-9_.-]+)")

Answer = tuple[list[tuple[bytes, bytes]], bytes]
"""Headers and body of a 200."""


class AtOnce:
    """Answers what it can; *app* answers the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        question = _QUESTIONS.get(scope["path"]) if scope["type"] == "http" else None
        if question is None or scope["method"] != question.method or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        inbox = _Inbox(receive)
        try:
            answer = await question.answer(scope["app"].state.services, scope, inbox)
        except AuthError as error:
            scope["route"] = question.route
            response = error_responses.refusal(Request(scope), error)
            await response(scope, receive, send)
            return
        if answer is None:
            await self._app(scope, inbox.again, send)
            return
        scope["route"] = question.route
        headers, body = answer
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class _Inbox:
    """The request's messages; what was read can be read again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read: list[Message] = []

    async def body(self) -> bytes | None:
        """Return the whole body, or None if it comes in pieces."""
        message = await self._receive()
        self._read.append(message)
        if message["type"] != "http.request" or message.get("more_body"):
            return None
        body: bytes = message.get("body", b"")
        return body

    async def again(self) -> Message:
        """Give the next message, as whoever reads from the start would see it."""
        return self._read.pop(0) if self._read else await self._receive()


async def _introspect(services: Services, scope: Scope, inbox: _Inbox) -> Answer | None:
    authorization = _only(scope, b"authorization")
    credentials = _basic(authorization) if _only(scope, b"content-type") == _FORM_TYPE else None
    if credentials is None:
        return None
    body = await inbox.body()
    form = _FORM.fullmatch(body) if body is not None and len(body) <= services.max_body_bytes else None
    caller = None if form is None else services.clients.recall(*credentials)
    if form is None or caller is None:
        return None
    described = await services.introspector.introspect_at_once(form[1].decode(), caller)
    if described is None:
        return None
    length = b"%d" % len(described)
    headers = [(b"cache-control", b"no-store"), (b"content-length", length), _JSON]
    return headers, described


_JSON = (b"content-type", b"application/json")


async def _verify(services: Services, scope: Scope, _inbox: _Inbox) -> Answer | None:
    bearer = _BEARER.fullmatch(_only(scope, b"authorization"))
    if bearer is None:
        return None
    facts = await services.verifier.verify(bearer[1].decode())
    if facts is None:
        raise InvalidBearerToken
    said = [(name.lower().encode(), value.encode()) for name, value in verify.identity_headers(facts).items()]
    return [*said, (b"content-length", b"0")], b""


@dataclass(frozen=True)
class _Question:
    """One endpoint; its route names it in metrics, and says what form its refusals have."""

    method: str
    route: BaseRoute
    answer: Callable[[Services, Scope, _Inbox], Awaitable[Answer | None]]


_QUESTIONS = {
    "/introspect": _Question("POST", introspect.router.routes[0], _introspect),
    "/verify": _Question("GET", verify.router.routes[0], _verify),
}


def _only(scope: Scope, name: bytes) -> bytes:
    """Return the value of a header that is there once, else nothing."""
    found: list[bytes] = [value for given, value in scope["headers"] if given == name]
    return found[0] if len(found) == 1 else b""


def _basic(authorization: bytes) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(b" ")
    if scheme not in {b"Basic", b"basic"}:
        return None
    try:
        read = _CREDENTIALS.fullmatch(b64decode(encoded, validate=True))
    except Base64Error:
        return None
    return None if read is None else (read[1].decode(), read[2].decode())
