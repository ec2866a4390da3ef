"""The two questions that come with every request of every other service, answered before the router.

Saves: routing, dependency injection and a model of the form, which cost more than all the rest together.
Invariant: it answers only what is ordinary, by the operations that the endpoints use. What it does not
recognise goes the endpoint's way with the body as it came; there every refusal is worded, but for a bad
Bearer token at /verify and for stores that are away.
On failure: as the endpoint.
To switch it off: `build_app(at_once=False)`.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.datastructures import State
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import Message, Receive, Scope

from authsvc.endpoints import error_responses, introspect, verify
from authsvc.errors import AuthError, InvalidBearerToken
from authsvc.wiring import Services

_HINT = rb"token_type_hint=(?:access|refresh)_token"
_FORM = re.compile(rb"(?:%b&)?token=([A-Za-z0-9_.-]+)(?:&%b)?" % (_HINT, _HINT))
_FORM_TYPE = b"application/x-www-form-urlencoded"
# Nothing in it could be an escape, so it has one reading.
_CREDENTIALS = re.compile(rb"([A-Za-z0-9_.~-]+):([A-Za-z0-9_.~-]+)")
_JSON = (b"content-type", b"application/json")
_NO_STORE = (b"cache-control", b"no-store")
_BEARER = re.compile(rb"[Bb]earer ([A-Za-z0-9_.-]+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered: the route that would have answered it, and the answer."""

    route: BaseRoute
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class AtOnce:
    """Answers what it can of the requests to one application."""

    def __init__(self, state: State, questions: Mapping[str, "Question"]) -> None:
        self._state = state
        self._questions = questions

    async def answer(self, scope: Scope, receive: Receive) -> "Answer | Receive":
        """Return the answer, or else what the endpoint is to receive from."""
        question = self._questions.get(scope["path"])
        if question is None or scope["method"] != question.method or scope["query_string"]:
            return receive
        headers = dict(scope["headers"])
        # A header that is there twice, and what a browser's page may see, are not ordinary.
        if len(headers) != len(scope["headers"]) or b"origin" in headers:
            return receive
        inbox = Inbox(receive)
        try:
            answer = await question.ask(self._state.services, headers, inbox)
        except AuthError as error:
            response = error_responses.refusal(Request({**scope, "route": question.route}), error)
            return Answer(question.route, response.status_code, response.raw_headers, bytes(response.body))
        if answer is None:
            return inbox.again
        return Answer(question.route, 200, *answer)


class Inbox:
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


Headers = Mapping[bytes, bytes]
Told = tuple[list[tuple[bytes, bytes]], bytes]
"""Headers and body of a 200."""


async def _introspect(services: Services, headers: Headers, inbox: Inbox) -> Told | None:
    if headers.get(b"content-type") != _FORM_TYPE:
        return None
    credentials = _basic(headers.get(b"authorization", b""))
    body = None if credentials is None else await inbox.body()
    if credentials is None or body is None or len(body) > services.max_body_bytes:
        return None
    form = _FORM.fullmatch(body)
    caller = None if form is None else services.clients.recall(*credentials)
    if form is None or caller is None:
        return None
    described = await services.introspector.introspect_at_once(form[1].decode(), caller)
    return (
        None
        if described is None
        else ([_NO_STORE, (b"content-length", b"%d" % len(described)), _JSON], described)
    )


async def _verify(services: Services, headers: Headers, _inbox: Inbox) -> Told | None:
    bearer = _BEARER.fullmatch(headers.get(b"authorization", b""))
    if bearer is None:
        return None
    facts = await services.verifier.verify(bearer[1].decode())
    if facts is None:
        raise InvalidBearerToken
    said = [(name.lower().encode(), value.encode()) for name, value in verify.identity_headers(facts).items()]
    return [*said, (b"content-length", b"0")], b""


def _basic(authorization: bytes) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(b" ")
    if scheme != b"Basic":
        return None
    try:
        read = _CREDENTIALS.fullmatch(b64decode(encoded, validate=True))
    except Base64Error:
        return None
    return None if read is None else (read[1].decode(), read[2].decode())


@dataclass(frozen=True)
class Question:
    """One endpoint; its route names it in metrics, and says what form its refusals have."""

    method: str
    route: BaseRoute
    ask: Callable[[Services, Headers, Inbox], Awaitable[Told | None]]


QUESTIONS: Mapping[str, Question] = {
    "/introspect": Question("POST", introspect.router.routes[0], _introspect),
    "/verify": Question("GET", verify.router.routes[0], _verify),
}
