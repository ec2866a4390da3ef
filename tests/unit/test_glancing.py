"""What a glance answers is on the wire what an application answers; what it lets go is served as ever."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from authsvc.endpoints.whole_answer import GLANCE, Glancer, Held, lines_of
from tests.fixtures.one_connection import ASK, BODY, HEADERS, LAST, NOTHING, answering, listening, told

ANSWER = (200, lines_of(HEADERS), BODY)
UPGRADE = ASK.replace(b"Host: auth", b"Host: auth\r\nConnection: upgrade\r\nUpgrade: h2c")
BROKEN = b"POST / HTTP/1.1\r\nHost: auth\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"
SERVED = answering(200, HEADERS, BODY, at_once=True)


class Unserved:
    """An application for which nothing is left; whether something came all the same."""

    def __init__(self) -> None:
        self.was_started = False

    async def __call__(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        self.was_started = True


@dataclass
class Glances:
    """What an application does that is asked for glances; those that were asked for."""

    do: Callable[[Held], bool]
    bodies: list[bytes] = field(default_factory=list)
    targets = (b"POST /introspect",)

    def glance(self, held: Held) -> bool:
        self.bodies.append(held.body)
        return self.do(held)

    @property
    def state(self) -> dict[str, Glancer]:
        return {GLANCE: self}


def take_soon(held: Held) -> bool:
    asyncio.get_running_loop().call_soon(held.take, *ANSWER)
    return True


def take_later(held: Held) -> bool:
    asyncio.get_running_loop().call_later(0.05, held.take, *ANSWER)
    return True


def let_go_later(held: Held) -> bool:
    asyncio.get_running_loop().call_later(0.05, held.let_go)
    return True


def decline(_: Held) -> bool:
    return False


@pytest.mark.parametrize("do", [take_soon, take_later, let_go_later, decline])
@pytest.mark.parametrize(
    ("requests", "answers"),
    [
        pytest.param([ASK], 1, id="one"),
        pytest.param([ASK, ASK, ASK], 3, id="several behind each other"),
        pytest.param([ASK + ASK + LAST], 9, id="several at once, then the end"),
        pytest.param([ASK[:-2], ASK[-2:], LAST], 9, id="a body in two parts"),
        pytest.param([UPGRADE + UPGRADE + LAST], 9, id="that ask for an upgrade"),
        pytest.param([ASK.replace(b"HTTP/1.1", b"HTTP/1.0")], 9, id="of HTTP/1.0"),
        pytest.param(
            [ASK.replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\nConnection: keep-alive\r\n")],
            9,
            id="of HTTP/1.0 that would stay",
        ),
        pytest.param([ASK.replace(b"/introspect", b"/verify") + ASK, LAST], 9, id="behind another's"),
        pytest.param(
            [ASK.replace(b"Host: auth", b"Host: auth\r\nExpect: 100-continue")], 2, id="that waits to be told"
        ),
    ],
)
async def test_all_that_is_asked_is_answered_in_its_order(
    do: Callable[[Held], bool], requests: list[bytes], answers: int
) -> None:
    glances = Glances(do)

    glanced_at = await told(SERVED, *requests, answers=answers, state=glances.state)

    assert BODY in glanced_at
    assert glanced_at == await told(SERVED, *requests, answers=answers)
    assert all(body == b"a=b" for body in glances.bodies)


@pytest.mark.parametrize("do", [take_soon, take_later])
async def test_what_a_glance_answers_is_never_started(do: Callable[[Held], bool]) -> None:
    glances = Glances(do)

    app = Unserved()

    assert BODY in await told(app, ASK, answers=1, state=glances.state)

    assert not app.was_started
    assert glances.bodies == [b"a=b"]


async def test_a_body_that_is_still_to_come_is_for_the_application() -> None:
    glances = Glances(take_soon)

    assert BODY in await told(SERVED, ASK[:-1], ASK[-1:], answers=1, state=glances.state)

    assert glances.bodies == []


async def test_what_is_malformed_is_not_served_with_what_came_of_it() -> None:
    glances = Glances(take_soon)

    app = Unserved()

    said = await told(app, BROKEN, answers=9, state=glances.state)

    assert said.startswith(b"HTTP/1.1 400 ")
    assert not app.was_started
    assert glances.bodies == []


@pytest.mark.parametrize("target", [b"http://h", b"http://h:99999/x", b"/" + b"a" * 70_000])
@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"Content-Length: 3\r\n\r\na=b", id="whole"),
        pytest.param(b"Content-Length: 9\r\n\r\na=b", id="whose body is to come"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nno number\r\n", id="whose body is broken"),
    ],
)
async def test_a_target_that_cannot_be_read_is_malformed(target: bytes, rest: bytes) -> None:
    request = b"POST " + target + b" HTTP/1.1\r\nHost: auth\r\n" + rest
    for state in (Glances(take_soon).state, NOTHING):
        assert (await told(Unserved(), request, answers=9, state=state)).startswith(b"HTTP/1.1 400 ")


async def test_what_is_malformed_is_not_answered_in_place_of_the_request_before() -> None:
    behind = ASK + b"POST http://h HTTP/1.1\r\nHost: auth\r\n\r\n"
    for state in (Glances(take_later).state, NOTHING):
        assert b"400" not in await told(SERVED, behind, answers=9, state=state)


async def test_a_glance_that_fails_is_followed_by_a_look() -> None:
    def fail(held: Held) -> bool:
        asyncio.get_running_loop().call_later(0.02, held.take, 200, lines_of([]), b"too late")
        raise RuntimeError

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05)
        await SERVED(scope, receive, send)

    said = await told(look, ASK, ASK, answers=2, state=Glances(fail).state)

    assert said.count(BODY) == 2
    assert b"too late" not in said


async def test_what_is_let_go_knows_nothing_of_who_told() -> None:
    of_teller: ContextVar[bool] = ContextVar("of_teller", default=False)
    seen: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(of_teller.get())
        await SERVED(scope, receive, send)

    def let_go_by_another(held: Held) -> bool:
        def tell() -> None:
            of_teller.set(True)
            held.let_go()

        asyncio.get_running_loop().call_soon(tell, context=copy_context())
        return True

    assert BODY in await told(app, ASK, answers=1, state=Glances(let_go_by_another).state)

    assert seen == [False]


async def test_who_has_left_is_not_answered_nor_served() -> None:
    taken: asyncio.Future[Held] = asyncio.get_running_loop().create_future()

    def keep(held: Held) -> bool:
        taken.set_result(held)
        return True

    app = Unserved()
    async with listening(app, Glances(keep).state) as port, asyncio.timeout(5):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK)
        held = await taken
        writer.close()
        await asyncio.sleep(0.05)  # until the server notices
        assert not held.take(*ANSWER)
        held.let_go()
        await asyncio.sleep(0.05)
    assert not app.was_started


async def test_a_stop_lets_a_glance_be_answered_and_ends_the_connection() -> None:
    taken: asyncio.Future[Held] = asyncio.get_running_loop().create_future()
    served = ServerState()

    def keep(held: Held) -> bool:
        taken.set_result(held)
        return True

    async with listening(Unserved(), Glances(keep).state, served) as port, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK)
        held = await taken
        for connection in list(served.connections):
            connection.shutdown()
        await asyncio.sleep(0.05)
        assert held.take(*ANSWER)
        said = await reader.read()  # until the end
        writer.close()

    assert said.endswith(BODY)
    assert b"connection: close\r\n" in said


async def test_who_reads_nothing_is_served_by_who_waits_for_it() -> None:
    """While earlier answers are unread a glance's answer is not taken."""
    long = b"x" * 2_000_000
    lines = lines_of([(b"content-length", b"%d" % len(long))])
    taken: list[bool] = []

    def take_or_let_go(held: Held) -> bool:
        def tell() -> None:
            taken.append(held.take(200, lines, long))
            if not taken[-1]:
                held.let_go()

        asyncio.get_running_loop().call_soon(tell)
        return True

    app = answering(200, [(b"content-length", b"%d" % len(long))], long, at_once=False)
    async with listening(app, Glances(take_or_let_go).state) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(ASK * 6)
        got = 0
        while got < 6 * len(long):
            got += len(await reader.read(1_000_000))
        writer.close()

    assert len(taken) <= 6
    assert False in taken or len(taken) == 1
