"""The quick way and the endpoints' way give the same answers, byte for byte, and write the same lines."""

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from starlette.datastructures import State
from starlette.types import Message, Receive, Scope

from authsvc.app import Application, build_app
from authsvc.endpoints.admission import Limits, Room
from authsvc.endpoints.at_once import Answer, AtOnce
from authsvc.errors import Unavailable
from tests.fixtures.answers import assert_problem
from tests.fixtures.forge import Forge
from tests.fixtures.glancing import Glancing, Held
from tests.fixtures.log_watch import WATCH
from tests.fixtures.logs import written
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service
from tests.fixtures.stack import ADDRESS, ISSUER

FORM = "application/x-www-form-urlencoded"
Headers = Mapping[str, str] | list[tuple[str, str]]


@dataclass
class Asked:
    """One request, and how it is told apart from the others."""

    name: str
    method: str
    url: str
    headers: Headers
    content: bytes = b""


class Ways:
    """The same services behind both ways; each keeps the raw answers it gave."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def app(self, *, at_once: bool) -> Application:
        app = build_app(at_once=at_once)
        app.state.services = self.service.stack.services
        return app

    @asynccontextmanager
    async def http(self, app: Application | Glancing) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app, client=ADDRESS)
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
            yield http

    async def told(self, asked: Asked, *, at_once: bool) -> tuple[Any, ...]:
        """Status, headers in their order, body, and what was written to the log."""
        return await self.told_by(self.app(at_once=at_once), asked, level="debug")

    async def told_by(self, app: Application | Glancing, asked: Asked, *, level: str) -> tuple[Any, ...]:
        with written(level=level) as log:
            async with self.http(app) as http:
                http.headers.clear()
                answer = await http.request(
                    asked.method, asked.url, headers=_raw(asked.headers), content=asked.content
                )
        lines = [
            {name: value for name, value in line.items() if name not in {"timestamp", "seconds"}}
            for line in log.objects()
        ]
        return answer.status_code, answer.headers.raw, answer.content, lines


def _pairs(headers: Headers) -> list[tuple[str, str]]:
    pairs = list(headers.items()) if isinstance(headers, Mapping) else headers
    return [("host", "auth.example.test"), ("x-request-id", "the-same"), *pairs]


def _raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in _pairs(headers)]


@pytest.fixture
async def tokens(service: Service, forge: Forge) -> Json:
    """One of each kind of token there is."""
    client = await service.add_client()
    signed_in = await service.login(client)
    ended, revoked = await service.login(), await service.login()
    await service.as_user("POST", "/logout", ended["access_token"])
    await service.post("/revoke", None, token=revoked["access_token"], client_id="public")
    own = (await service.post("/token", client, grant_type="client_credentials")).json()
    return {
        "live": signed_in["access_token"],
        "public": (await service.login())["access_token"],
        "own": own["access_token"],
        "ended": ended["access_token"],
        "revoked": revoked["access_token"],
        "refresh": signed_in["refresh_token"],
        "forged": forge.with_claims(sub="nobody").token()[:-8] + "AAAAAAAA",
        "of no key": forge.with_header(kid="a" * 32).token(),
        "opaque, made up": "asvc_at_" + "A" * 54,
        "no token": "no token",
        "long": "a" * 9000,
        "empty": "",
    }


def basic(client_id: str, secret: str) -> str:
    """Return the header of these credentials (RFC 7617 §2)."""
    return "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


def posted(path: str, name: str, body: str, authorization: str = "", **headers: str) -> Asked:
    """A form; a header whose value is empty is not sent."""
    given = {"authorization": authorization, "content-type": FORM, "content-length": str(len(body))}
    kept = {name: value for name, value in (given | headers).items() if value}
    return Asked(name, "POST", path, kept, body.encode())


def introspections(tokens: Json, caller: Registered, other: Registered) -> list[Asked]:
    """Every kind of request to /introspect."""

    live = tokens["live"]
    own = basic(caller.id, caller.secret)

    def ask(name: str, body: str, authorization: str = own, **headers: str) -> Asked:
        return posted("/introspect", name, body, authorization, **headers)

    two = [("authorization", own), ("authorization", own), ("content-type", FORM)]
    return [
        *(ask(name, f"token={token}") for name, token in tokens.items()),
        ask("hint", f"token={live}&token_type_hint=access_token"),
        ask("hint first", f"token_type_hint=refresh_token&token={live}"),
        ask("two hints", f"token_type_hint=access_token&token={live}&token_type_hint=refresh_token"),
        ask("odd hint", f"token={live}&token_type_hint=x"),
        ask("escaped", f"token=%{ord(live[0]):02x}{live[1:]}"),
        ask("twice", f"token={live}&token={live}"),
        ask("more", f"token={live}&more=1"),
        ask("too long", "token=" + "a" * 70_000),
        ask("no body", ""),
        ask("a charset", f"token={live}", **{"content-type": FORM + "; charset=utf-8"}),
        ask("JSON", f'{{"token":"{live}"}}', **{"content-type": "application/json"}),
        ask("no type", f"token={live}", **{"content-type": ""}),
        ask("may not see all", f"token={tokens['public']}", basic(other.id, other.secret)),
        ask("sees its own", f"token={live}", basic(other.id, other.secret)),
        ask("wrong secret", f"token={live}", basic(caller.id, "wrong" * 9)),
        ask("no secret", f"token={live}", basic(caller.id, "")),
        ask("unknown", f"token={live}", basic("nobody", "wrong" * 9)),
        ask("public client", f"token={live}", basic("public", "")),
        ask("nobody", f"token={live}", ""),
        ask("lower case", f"token={live}", own.replace("Basic", "basic")),
        ask("no base64", f"token={live}", "Basic !!!"),
        ask("escaped credentials", f"token={live}", basic("%63" + caller.id[1:], caller.secret)),
        ask("Bearer", f"token={live}", f"Bearer {live}"),
        ask("both", f"token={live}&client_secret={caller.secret}"),
        ask("from a page", f"token={live}", origin="https://app.example.test"),
        Asked("two headers", "POST", "/introspect", two, f"token={live}".encode()),
        Asked("a query", "POST", "/introspect?token=x", {"authorization": own, "content-type": FORM}),
        Asked("GET", "GET", "/introspect", {"authorization": own}),
    ]


def verifications(tokens: Json) -> list[Asked]:
    """Every kind of request to /verify."""

    def ask(name: str, authorization: str, url: str = "/verify", method: str = "GET") -> Asked:
        return Asked(name, method, url, {"authorization": authorization} if authorization else {})

    live = tokens["live"]
    return [
        *(ask(name, f"Bearer {token}") for name, token in tokens.items()),
        ask("lower case", f"bearer {live}"),
        ask("two spaces", f"Bearer  {live}"),
        ask("Basic", "Basic abc"),
        ask("nothing", ""),
        ask("a scope", f"Bearer {live}", "/verify?scope=account"),
        ask("a scope it lacks", f"Bearer {live}", "/verify?scope=write"),
        ask("HEAD", f"Bearer {live}", method="HEAD"),
        ask("POST", f"Bearer {live}", method="POST"),
    ]


async def test_both_ways_answer_alike(service: Service, tokens: Json, caller: Registered) -> None:
    other = await service.add_client("another")
    ways = Ways(service)

    for asked in [*introspections(tokens, caller, other), *verifications(tokens)]:
        plain = await ways.told(asked, at_once=False)
        assert await ways.told(asked, at_once=True) == plain, f"{asked.url}: {asked.name}"


# By Redis and Postgres; of the others the endpoint has to find out more, or to say why not.
_GLANCED_AT = {
    "/introspect": {"live", "public", "own", "ended", "revoked", "forged", "of no key", "opaque, made up"}
    | {"hint", "hint first", "may not see all", "sees its own"},
    "/verify": {"live", "public", "own", "ended", "revoked"},
}


async def test_a_glance_tells_the_same(service: Service, tokens: Json, caller: Registered) -> None:
    other = await service.add_client("another")
    ways = Ways(service)
    glancing = Glancing(ways.app(at_once=True))
    glanced_at: dict[str, set[str]] = {"/introspect": set(), "/verify": set()}

    for asked in [*introspections(tokens, caller, other), *verifications(tokens)]:
        plain = await ways.told(asked, at_once=False)
        before = glancing.count
        assert await ways.told_by(glancing, asked, level="debug") == plain, f"{asked.url}: {asked.name}"
        if glancing.count > before:
            glanced_at[asked.url].add(asked.name)

    is_by_redis = service.stack.has_redis
    assert all((names <= glanced_at[path]) is is_by_redis for path, names in _GLANCED_AT.items())


@pytest.mark.only(
    "postgres-jwt", "postgres-opaque", reason="without Redis the database is asked about the caller"
)
@pytest.mark.parametrize(("level", "count"), [("debug", 0), ("info", 1)])
async def test_behind_a_proxy_a_line_is_written_by_who_knows_where_a_request_came_from(
    service: Service, tokens: Json, caller: Registered, level: str, count: int
) -> None:
    await service.introspect(tokens["live"], caller)
    ways = Ways(service)
    app = ways.app(at_once=True)
    app.is_behind_proxies = True
    asked = posted("/introspect", "live", f"token={tokens['live']}", basic(caller.id, caller.secret))
    glancing = Glancing(app)

    await ways.told_by(glancing, asked, level=level)

    assert glancing.count == count


@pytest.mark.only(
    "postgres-jwt", "postgres-opaque", reason="without Redis the database is asked about the caller"
)
async def test_who_left_during_a_glance_is_counted(
    service: Service, tokens: Json, caller: Registered
) -> None:
    await service.introspect(tokens["live"], caller)
    asked = posted("/introspect", "live", f"token={tokens['live']}", basic(caller.id, caller.secret))
    of_left = 'authsvc_request_seconds_count{method="POST",route="/introspect",status="499"}'
    before = await service.metric(of_left)
    held = held_of(asked)
    held.told.cancel()

    assert Ways(service).app(at_once=True).frame.glance(held)
    await service.introspect(tokens["live"], caller)

    assert await service.metric(of_left) == before + 1


async def test_a_refusal_waits_until_all_is_read(service: Service) -> None:
    asked = posted("/login", "by nobody", f"username={quote(USERNAME)}&password={quote(PASSWORD)}")
    ways = Ways(service)
    app = ways.app(at_once=True)
    full: Any = Full()
    app.state.services = replace(service.stack.services, hasher=full)
    held = held_of(asked)

    assert app.frame.glance(held)
    is_told_at_once = held.told.done()
    status, *_ = await held.told or (0,)

    assert (is_told_at_once, status) == (False, 503)


class Full:
    """A queue of passwords that takes no more."""

    def expect_turn(self) -> None:
        raise Unavailable("Too many passwords are being checked now.")


def held_of(asked: Asked) -> Held:
    """Return the request as a server holds it."""
    return Held(scope_of(asked), asked.content, asyncio.get_running_loop().create_future())


def scope_of(asked: Asked) -> Scope:
    """Return what ASGI says of the request."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": asked.method,
        "path": asked.url,
        "query_string": b"",
        "headers": _raw(asked.headers),
        "client": ADDRESS,
    }


def refreshes(tokens: Json, client: Registered, other: Registered) -> list[Asked]:
    """Every kind of request to /refresh; the token of the first ones was exchanged a moment ago."""

    ask = partial(posted, "/refresh")
    theirs, public = f"refresh_token={tokens['of client']}", f"refresh_token={tokens['of public']}"
    own = basic(client.id, client.secret)
    return [
        ask("repeated", theirs, own),
        ask("grant type", f"grant_type=refresh_token&{theirs}", own),
        ask("by nobody", public),
        ask("by the public client", f"{public}&client_id=public"),
        ask("client first", f"client_id=public&{public}"),
        ask("in the form", f"{theirs}&client_id={client.id}&client_secret={client.secret}"),
        ask("a scope", f"{theirs}&scope=account", own),
        ask("an empty scope", f"{theirs}&scope=", own),
        ask("too much", f"{theirs}&scope=all", own),
        ask("escaped", f"refresh_token=%61{tokens['of public'][1:]}"),
        ask("another grant", f"grant_type=password&{theirs}", own),
        ask("no token", "grant_type=refresh_token", own),
        ask("empty token", "refresh_token=", own),
        ask("twice", f"{theirs}&{theirs}", own),
        ask("named twice", f"{theirs}&client_id={client.id}", own),
        ask("another named", f"{theirs}&client_id={other.id}", own),
        ask("of another", theirs, basic(other.id, other.secret)),
        ask("unnamed", theirs),
        ask("no secret", f"{theirs}&client_id={client.id}"),
        ask("wrong secret", theirs, basic(client.id, "wrong" * 9)),
        ask("unknown client", theirs, basic("nobody", "wrong" * 9)),
        ask("Bearer", theirs, f"Bearer {tokens['live']}"),
        ask("made up", "refresh_token=asvc_rt_" + "A" * 80, own),
        ask("an access token", f"refresh_token={tokens['live']}", own),
        ask("made up, by nobody", "refresh_token=asvc_rt_" + "A" * 80),
        ask("of an ended session", f"refresh_token={tokens['of ended']}"),
        ask("JSON", f'{{"refresh_token":"{tokens["of public"]}"}}', **{"content-type": "application/json"}),
        ask("from a page", public, origin="https://app.example.test"),
        Asked("GET", "GET", "/refresh", {}),
    ]


async def test_both_ways_refresh_alike(service: Service) -> None:
    await service.add_account()
    client, other = await service.add_client(), await service.add_client("another")
    of_client, of_public = await service.login(client), await service.login()
    of_ended = await service.login()
    await service.as_user("POST", "/logout", of_ended["access_token"])
    tokens = {
        "live": of_client["access_token"],
        "of client": of_client["refresh_token"],
        "of public": of_public["refresh_token"],
        "of ended": of_ended["refresh_token"],
    }
    # From now on both are repeated, and an answer differs in nothing but its access token.
    await service.post("/refresh", client, refresh_token=tokens["of client"])
    await service.post("/refresh", refresh_token=tokens["of public"])
    ways = Ways(service)

    for asked in refreshes(tokens, client, other):
        plain = _unsigned(await ways.told(asked, at_once=False))
        assert _unsigned(await ways.told(asked, at_once=True)) == plain, asked.name


def _unsigned(told: tuple[Any, ...]) -> tuple[Any, ...]:
    """Take out of an answer the access token, which is another each time."""
    status, headers, body, lines = told
    return status, headers, re.sub(rb'"access_token":"[^"]{40,}"', b"", body), lines


def log_ins(tokens: Json, client: Registered, other: Registered) -> list[Asked]:
    """Every kind of request to /login."""

    ask = partial(posted, "/login")
    good = f"username={quote(USERNAME)}&password={quote(PASSWORD)}"
    own = basic(client.id, client.secret)
    return [
        ask("by nobody", good),
        ask("a user agent", good, **{"user-agent": "Caf\xe9/1 \x7f(tests)"}),
        ask("grant type", f"grant_type=password&{good}"),
        ask("an empty grant type", f"grant_type=&{good}"),
        ask("another grant", f"grant_type=refresh_token&{good}"),
        ask("plus for a blank", good.replace("%20", "+")),
        ask("by the public client", f"{good}&client_id=public"),
        ask("by Basic", good, own),
        ask("in the form", f"{good}&client_id={client.id}&client_secret={client.secret}"),
        ask("an empty secret", f"{good}&client_id=public&client_secret="),
        ask("named twice", f"{good}&client_id={client.id}", own),
        ask("another named", f"{good}&client_id={other.id}", own),
        ask("no secret", f"{good}&client_id={client.id}"),
        ask("wrong secret", good, basic(client.id, "wrong" * 9)),
        ask("Bearer", good, f"Bearer {tokens['live']}"),
        ask("a scope", f"{good}&scope=account"),
        ask("too much", f"{good}&scope=all"),
        ask("no scope", f"{good}&scope=%22"),
        ask("wrong password", f"username={quote(USERNAME)}&password=wrong"),
        ask("unknown name", "username=nobody&password=wrong"),
        ask("no name anybody can have", "username=a%0Ab&password=wrong"),
        ask("no password", f"username={quote(USERNAME)}"),
        ask("empty password", f"username={quote(USERNAME)}&password="),
        ask("no name", f"password={quote(PASSWORD)}"),
        ask("twice", f"{good}&password=x"),
        ask("a broken escape", f"username=%&password={quote(PASSWORD)}"),
        ask("no UTF-8", f"username=%ff&password={quote(PASSWORD)}"),
        ask("a NUL", f"username=%00&password={quote(PASSWORD)}"),
        ask("more", f"{good}&more=1"),
        ask("too long", f"{good}&more=" + "a" * 70_000),
        ask("no body", ""),
        ask("a charset", good, **{"content-type": FORM + "; charset=utf-8"}),
        ask("JSON", '{"username":"ada"}', **{"content-type": "application/json"}),
        ask("from a page", good, origin="https://app.example.test"),
        Asked("GET", "GET", "/login", {}),
    ]


async def test_both_ways_log_in_alike(service: Service) -> None:
    await service.add_account()
    client, other = await service.add_client(), await service.add_client("another")
    tokens = {"live": (await service.login())["access_token"]}
    ways = Ways(service)

    for asked in log_ins(tokens, client, other):
        plain = _without_ids(await ways.told(asked, at_once=False))
        assert _without_ids(await ways.told(asked, at_once=True)) == plain, asked.name
        service.clock.advance(hours=2)  # what was wrong is forgotten

    agents = {session.user_agent for session in await service.sessions()}
    assert "Caf\xe9/1 (tests)" in agents


async def test_both_ways_throttle_alike(service: Service) -> None:
    await service.add_account()
    ways = Ways(service)
    body = f"username={quote(USERNAME)}&password=wrong".encode()
    wrong = Asked("wrong password", "POST", "/login", {"content-type": FORM}, body)
    statuses = [(await ways.told(wrong, at_once=number % 2 == 0))[0] for number in range(30)]
    assert sorted(set(statuses)) == [400, 429]
    assert statuses == sorted(statuses)

    told = [_without_ids(await ways.told(wrong, at_once=at_once)) for at_once in (True, False)]

    assert told[0] == told[1]


def _without_ids(told: tuple[Any, ...]) -> tuple[Any, ...]:
    """Take out of an answer its tokens, and out of its lines the session, which are others each time."""
    status, headers, body, lines = told
    tokens = re.sub(rb'"(access|refresh)_token":"[^"]{40,}"', b"", body)
    sizes = [header for header in headers if header[0] != b"content-length"]
    return status, sizes, tokens, [{**line, "session_id": "some"} for line in lines]


async def test_a_refresh_and_a_replay_are_answered_at_once_as_well(service: Service) -> None:
    await service.add_account()
    tokens = await service.login()
    ways = Ways(service)

    async def refresh(token: str) -> tuple[int, Json]:
        body = f"refresh_token={token}".encode()
        asked = Asked("", "POST", "/refresh", {"content-type": FORM}, body)
        status, _, content, _ = await ways.told(asked, at_once=True)
        return status, json.loads(content)

    status, second = await refresh(tokens["refresh_token"])
    assert status == 200
    status, _ = await refresh(second["refresh_token"])
    assert status == 200
    status, refused = await refresh(tokens["refresh_token"])
    assert (status, refused["error"]) == (400, "invalid_grant")
    assert (await refresh(second["refresh_token"]))[0] == 400


async def test_both_ways_see_an_end_at_once(service: Service, tokens: Json, caller: Registered) -> None:
    ways = Ways(service)
    asked = introspections(tokens, caller, caller)[0]
    before = [await ways.told(asked, at_once=at_once) for at_once in (True, False)]

    await service.as_user("POST", "/logout", tokens["live"])

    after = [await ways.told(asked, at_once=at_once) for at_once in (True, False)]
    assert [b'"active":true' in body for _, _, body, _ in before] == [True, True]
    assert [body for _, _, body, _ in after] == [b'{"active":false}'] * 2


async def test_both_ways_know_the_time(service: Service, tokens: Json, caller: Registered) -> None:
    ways = Ways(service)
    asked = introspections(tokens, caller, caller)[0]
    await ways.told(asked, at_once=True)

    service.clock.advance(seconds=300)

    for at_once in (True, False):
        assert (await ways.told(asked, at_once=at_once))[2] == b'{"active":false}'


@pytest.mark.only(
    "postgres-jwt", "postgres-opaque", reason="without Redis the database is asked about the caller"
)
async def test_what_is_ordinary_is_answered_at_once(
    service: Service, tokens: Json, caller: Registered
) -> None:
    """Else the tests above would compare one way with itself."""
    await service.introspect(tokens["live"], caller)  # the caller is known from now on
    fresh = (await service.login())["refresh_token"]
    tokens |= {f"of {whose}": fresh for whose in ("client", "public", "ended")}
    ordinary = [
        introspections(tokens, caller, caller)[0],
        verifications(tokens)[0],
        *(one for one in refreshes(tokens, caller, caller) if one.name == "by nobody"),
    ]

    state = State()
    state.services = service.stack.services
    for asked in ordinary:
        answer = await AtOnce(state, Room(Limits()), is_on=True).answer(
            scope_of(asked), _gives(asked.content)
        )
        assert isinstance(answer, Answer)
        assert answer.status == 200


def _gives(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


class Exploding:
    """An operation in which something unforeseen happens."""

    async def introspect(self, *_: Any) -> bytes:
        raise RuntimeError(PASSWORD)


@pytest.mark.only(
    "postgres-jwt", "postgres-opaque", reason="without Redis the database is asked about the caller"
)
async def test_an_unforeseen_error_is_a_500_that_tells_nothing(
    service: Service, tokens: Json, caller: Registered
) -> None:
    await service.introspect(tokens["live"], caller)
    app = build_app()
    broken: Any = Exploding()
    app.state.services = replace(service.stack.services, introspector=broken)
    transport = httpx.ASGITransport(Glancing(app), client=ADDRESS)
    with written() as log, WATCH.deaf():
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
            answer = await http.post("/introspect", data={"token": tokens["live"]}, auth=caller.auth)

    assert assert_problem(answer, 500)["detail"] == "Something went wrong here."
    assert answer.headers["x-request-id"]
    assert "unexpected_error" in log.text
