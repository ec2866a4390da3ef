"""What is asked most often, answered before the router: introspection, `/verify`, and refreshes.

Saves: routing, dependency injection and a model of the form, which cost more than all the rest together.
Invariant: it answers only what is ordinary, by the operations that the endpoints use, and refuses what
those refuse as they do. What it does not recognise goes the endpoint's way with the body as it came.
On failure: as the endpoint.
To switch it off: `build_app(at_once=False)`.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.datastructures import State
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope

from authsvc.clients import ClientCredentials
from authsvc.endpoints import error_responses, introspect, refresh, verify
from authsvc.endpoints.admission import Room, again
from authsvc.endpoints.form import parse_form
from authsvc.endpoints.token_response import token_response
from authsvc.errors import AuthError, InvalidBearerToken
from authsvc.wiring import Services

_HINT = rb"token_type_hint=(?:access|refresh)_token"
# The hint stands in front or behind; the condition is that it does not stand in front already.
_FORM = re.compile(rb"(%b&)?token=([A-Za-z0-9_.-]+)(?(1)|(?:&%b)?)" % (_HINT, _HINT))
_GRANT = "refresh_token"
_FORM_TYPE = b"application/x-www-form-urlencoded"
# Nothing in it could be an escape, so it has one reading.
_CREDENTIALS = re.compile(rb"([A-Za-z0-9_.~-]+):([A-Za-z0-9_.~-]+)")
_JSON = (b"content-type", b"application/json")
_NO_STORE = (b"cache-control", b"no-store")
_PAIR = rb"(?:grant_type|refresh_token|client_id)=[A-Za-z0-9_.~-]+"
_REFRESH = re.compile(rb"%b(?:&%b)*" % (_PAIR, _PAIR))
_BEARER = re.compile(rb"[Bb]earer ([A-Za-z0-9_.-]+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered: the route that would have answered it, and the answer."""

    route: BaseRoute
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @classmethod
    def of(cls, route: BaseRoute, response: Response) -> "Answer":
        """What *response* says."""
        return cls(route, response.status_code, response.raw_headers, bytes(response.body))


class AtOnce:
    """Answers what it can of the requests to one application."""

    def __init__(self, state: State, room: Room, *, is_on: bool) -> None:
        self._state = state
        self._room = room
        self._is_on = is_on

    async def answer(self, scope: Scope, receive: Receive) -> "Answer | Receive":
        """Return the answer, or else what the endpoint is to receive from."""
        question = _QUESTIONS.get(scope["path"])
        if question is None or scope["method"] != question.method or not self._is_ordinary(scope):
            return receive
        room, body = self._room, b""
        try:
            if question.has_body:
                if not room.has_room_for_body(scope):
                    return receive
                messages = await room.read(receive)
                receive = again(messages, receive)
                if messages[-1].get("more_body"):  # it is too long, or stopped coming
                    return receive
                body = b"".join(message.get("body", b"") for message in messages)
            if room.is_full or len(body) > room.limits.body_bytes:
                return receive
            room.in_work += 1
            try:
                told = await question.ask(self._state.services, dict(scope["headers"]), body)
            finally:
                room.in_work -= 1
        except AuthError as error:
            response = error_responses.answer(Request({**scope, "route": question.route}), error)
            return Answer.of(question.route, response)
        except ClientDisconnect:
            return receive  # which says so again, to whoever reads on
        except Exception:  # noqa: BLE001 - whatever it is; it is logged there, and only there
            return Answer.of(question.route, error_responses.unexpected())
        return receive if told is None else Answer(question.route, 200, *told)

    def _is_ordinary(self, scope: Scope) -> bool:
        """Whether nothing of it needs the router, nor what comes before that."""
        names = [name for name, _ in scope["headers"]]
        # A header that is there twice is for the endpoint to judge, a page of a browser for CORS.
        return (
            self._is_on
            and not scope["query_string"]
            and len(set(names)) == len(names)
            and b"origin" not in names
        )


Headers = Mapping[bytes, bytes]
Told = tuple[list[tuple[bytes, bytes]], bytes]
"""Headers and body of a 200."""


async def _introspect(services: Services, headers: Headers, body: bytes) -> Told | None:
    form = _FORM.fullmatch(body) if headers.get(b"content-type") == _FORM_TYPE else None
    credentials = _basic(headers.get(b"authorization", b""))
    if form is None or credentials is None:
        return None
    caller = services.clients.recall(*credentials)
    if caller is None:
        return None
    described = await services.introspector.introspect_at_once(form[2].decode(), caller)
    return (
        None
        if described is None
        else ([_NO_STORE, (b"content-length", b"%d" % len(described)), _JSON], described)
    )


async def _verify(services: Services, headers: Headers, _body: bytes) -> Told | None:
    bearer = _BEARER.fullmatch(headers.get(b"authorization", b""))
    if bearer is None:
        return None
    facts = await services.verifier.verify(bearer[1].decode())
    if facts is None:
        raise InvalidBearerToken
    said = [(name.lower().encode(), value.encode()) for name, value in verify.identity_headers(facts).items()]
    return [*said, (b"content-length", b"0")], b""


async def _refresh(services: Services, headers: Headers, body: bytes) -> Told | None:
    if headers.get(b"content-type") != _FORM_TYPE or not _REFRESH.fullmatch(body):
        return None
    form = parse_form(body)
    client = _named_client(headers, form)
    if client is None or "refresh_token" not in form or form.get("grant_type", _GRANT) != _GRANT:
        return None
    response = token_response(await refresh.exchange(services, client, form["refresh_token"], ""))
    return response.raw_headers, bytes(response.body)


def _named_client(headers: Headers, form: Mapping[str, str]) -> ClientCredentials | None:
    """Return whom a request names, if anybody; None where the endpoint has to look closer."""
    client_id, authorization = form.get("client_id"), headers.get(b"authorization")
    if authorization is None:
        return ClientCredentials([(client_id, "")] if client_id else [])
    basic = _basic(authorization)
    return None if basic is None or client_id else ClientCredentials([basic], by_basic=True)


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
class _Question:
    """One endpoint; its route names it in metrics, and says what form its refusals have."""

    method: str
    route: BaseRoute
    ask: Callable[[Services, Headers, bytes], Awaitable[Told | None]]
    has_body: bool = False


_QUESTIONS = {
    "/introspect": _Question("POST", introspect.router.routes[0], _introspect, has_body=True),
    "/verify": _Question("GET", verify.router.routes[0], _verify),
    "/refresh": _Question("POST", refresh.router.routes[0], _refresh, has_body=True),
}
