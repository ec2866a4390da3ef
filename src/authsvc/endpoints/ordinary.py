"""Which requests are ordinary, and what is answered to them, by the operations that the endpoints use.

Whatever differs from what every client sends is left to the endpoint. What is read here must read there
alike.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from starlette.routing import BaseRoute

from authsvc.clients import ClientCredentials, Clients
from authsvc.endpoints import introspect, login, refresh, verify
from authsvc.endpoints.form import parse_form
from authsvc.endpoints.token_response import origin_from, token_body
from authsvc.endpoints.whole_answer import lines_of
from authsvc.errors import InvalidBearerToken
from authsvc.grants.issuing import IssuedTokens
from authsvc.remembered_clients import Copy
from authsvc.secret_tokens import digest
from authsvc.tokens.access_token import AccessToken
from authsvc.wiring import Services

_HINT = rb"token_type_hint=(?:access|refresh)_token"
# The hint stands in front or behind; the condition is that it does not stand in front already.
_FORM = re.compile(rb"(%b&)?token=([A-Za-z0-9_.-]+)(?(1)|(?:&%b)?)" % (_HINT, _HINT))
_FORM_TYPE = b"application/x-www-form-urlencoded"
# Nothing in it could be an escape, so it has one reading.
_CREDENTIALS = re.compile(rb"([A-Za-z0-9_.~-]+):([A-Za-z0-9_.~-]+)")
_OF_JSON = b"content-length: %d\r\ncontent-type: application/json\r\n"
_DESCRIBED = b"cache-control: no-store\r\n" + _OF_JSON
_GRANTED = b"cache-control: no-store\r\npragma: no-cache\r\n" + _OF_JSON
_OF_REFRESH = frozenset({"refresh_token", "grant_type", "scope", "client_id"})
_OF_LOGIN = frozenset({"username", "password", "grant_type", "scope", "client_id"})
_BEARER = re.compile(rb"[Bb]earer ([A-Za-z0-9_.-]+)")


Headers = Mapping[bytes, bytes]


class Asked(NamedTuple):
    """One request: its headers, none of them twice, its body, and the address that it came from."""

    headers: Headers
    body: bytes
    address: str | None


Told = tuple[bytes, bytes]
"""Header lines and body of a 200."""


async def _introspect(services: Services, asked: Asked) -> Told | None:
    presented = introspected(services, asked.headers, asked.body, services.clock())
    if presented is None:
        return None
    token, copy = presented
    caller = services.clients.remembered.ask(copy)
    description = await services.introspector.introspect(token, caller.client)
    # Asked along with the token; where it is not as remembered, the endpoint asks anew.
    return described(description) if await caller.is_current() else None


def introspected(services: Services, headers: Headers, body: bytes, now: datetime) -> tuple[str, Copy] | None:
    """Return the token that an ordinary introspection asks about, and the caller as it is remembered."""
    form = _FORM.fullmatch(body) if is_form(headers) else None
    caller = None if form is None else _caller(services.clients, headers.get(b"authorization", b""), now)
    return None if form is None or caller is None else (form[2].decode(), caller)


def _caller(clients: Clients, authorization: bytes, now: datetime) -> Copy | None:
    sha256 = digest(authorization)
    known = clients.remembered.copy_proven_by(sha256, now)
    credentials = _basic(authorization) if known is None else None
    if credentials is None:
        return known
    copy = clients.recognise(*credentials, now)
    if copy is not None:
        clients.remembered.keep_proven(sha256, copy)
    return copy


def is_form(headers: Headers) -> bool:
    """Whether the body is said to be a form, as every client says it."""
    return headers.get(b"content-type") == _FORM_TYPE


def described(description: bytes) -> Told:
    """Return the answer that says this."""
    return _DESCRIBED % len(description), description


async def _verify(services: Services, asked: Asked) -> Told | None:
    token = verified(asked.headers)
    return None if token is None else identified(await services.verifier.verify(token))


def verified(headers: Headers) -> str | None:
    """Return the token that an ordinary request to `/verify` presents."""
    bearer = _BEARER.fullmatch(headers.get(b"authorization", b""))
    return None if bearer is None else bearer[1].decode()


def identified(facts: AccessToken | None) -> Told:
    """Return the answer that says whose the token is.

    Raises:
        InvalidBearerToken: it is not live.
    """
    if facts is None:
        raise InvalidBearerToken
    lines = facts.answers.get("/verify")
    if lines is None:
        lines = facts.answers["/verify"] = _identity(facts)
    return lines, b""


def _identity(facts: AccessToken) -> bytes:
    said = [(name.lower().encode(), value.encode()) for name, value in verify.identity_headers(facts).items()]
    return lines_of([*said, (b"content-length", b"0")])


async def _refresh(services: Services, asked: Asked) -> Told | None:
    form = _form(asked, names=_OF_REFRESH, needed=("refresh_token",), grant="refresh_token")
    client = None if form is None else _named_client(asked.headers, form)
    if form is None or client is None:
        return None
    return _issued(await refresh.exchange(services, client, form["refresh_token"], form.get("scope", "")))


async def _login(services: Services, asked: Asked) -> Told | None:
    form = _form(asked, names=_OF_LOGIN, needed=("username", "password"), grant="password")
    client = None if form is None else _named_client(asked.headers, form)
    if form is None or client is None:
        return None
    origin = origin_from(asked.address, asked.headers.get(b"user-agent", b"").decode("latin-1"))
    return _issued(
        await login.exchange(
            services, client, form["username"], form["password"], form.get("scope", ""), origin
        )
    )


def _issued(issued: IssuedTokens) -> Told:
    body = token_body(issued)
    return _GRANTED % len(body), body


def _form(asked: Asked, *, names: frozenset[str], needed: Sequence[str], grant: str) -> dict[str, str] | None:
    """Return the form, if it has what is *needed*, nothing but *names*, and no other grant is asked for."""
    if not is_form(asked.headers):
        return None
    form = parse_form(asked.body)
    is_plain = names.issuperset(form) and all(name in form for name in needed)
    return form if is_plain and form.get("grant_type", grant) == grant else None


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
        read = _CREDENTIALS.fullmatch(a2b_base64(encoded, strict_mode=True))
    except Base64Error:
        return None
    return None if read is None else (read[1].decode(), read[2].decode())


@dataclass(frozen=True)
class Question:
    """One endpoint; its route names it in metrics, and says what form its refusals have."""

    method: str
    route: BaseRoute
    ask: Callable[[Services, Asked], Awaitable[Told | None]]
    has_body: bool = False


QUESTIONS = {
    "/introspect": Question("POST", introspect.router.routes[0], _introspect, has_body=True),
    "/verify": Question("GET", verify.router.routes[0], _verify),
    "/refresh": Question("POST", refresh.router.routes[0], _refresh, has_body=True),
    "/login": Question("POST", login.router.routes[0], _login, has_body=True),
}
