"""Questions to Redis over a connection that is taken over from its driver."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from authsvc.storage.denylist import Denylist
from authsvc.storage.redis_address import RedisAddress
from authsvc.storage.redis_client import Command, RedisAway
from authsvc.storage.redis_link import RedisLink
from authsvc.storage.redis_pipe import RedisPipe
from authsvc.storage.redis_route import RedisRoute
from tests.fixtures.redis import RedisServer

SECONDS = 0.5
DATABASE = 9


@pytest.fixture
async def pipe(redis: RedisServer) -> AsyncIterator[RedisPipe]:
    address = RedisAddress.read(redis.url(DATABASE), timeout_seconds=SECONDS)
    pipe = RedisPipe(await RedisRoute(address).connect())
    yield pipe
    await pipe.close()


@pytest.fixture
async def other(redis: RedisServer) -> AsyncIterator[Redis]:
    """Another client of the same Redis."""
    async with Redis.from_url(redis.url(DATABASE)) as client:
        yield client


def asking(pipe: RedisPipe, *commands: Command) -> "asyncio.Future[list[object]]":
    told: asyncio.Future[list[object]] = asyncio.get_running_loop().create_future()

    def tell(said: list[object] | RedisAway) -> None:
        if isinstance(said, RedisAway):
            told.set_exception(said)
        else:
            told.set_result(said)

    pipe.ask(commands, tell)
    return told


async def test_each_question_gets_its_own_answers(pipe: RedisPipe) -> None:
    first = asking(pipe, ("ECHO", "a"), ("ECHO", b"b"))
    second = asking(pipe, ("ECHO", 3))

    assert (await second, await first) == ([b"3"], [b"a", b"b"])


async def test_a_long_answer_comes_in_pieces(pipe: RedisPipe) -> None:
    text = b"x" * 5_000_000

    assert await asking(pipe, ("ECHO", text), ("ECHO", "end")) == [text, b"end"]


async def test_a_silent_redis_is_waited_for_no_longer_than_its_time(pipe: RedisPipe, other: Redis) -> None:
    await asking(pipe, ("PING",))
    await asyncio.sleep(SECONDS / 2)  # the time runs from each question
    await other.client_pause(int(4 * SECONDS * 1000))
    began = time.monotonic()

    with pytest.raises(RedisAway) as away:
        await asking(pipe, ("PING",))

    taken = time.monotonic() - began
    await other.ping()  # it is there again
    assert away.value.is_silence
    assert SECONDS <= taken < 2 * SECONDS


async def test_a_refusal_closes_it_and_is_told_to_all(pipe: RedisPipe) -> None:
    refused, behind = asking(pipe, ("GET",)), asking(pipe, ("PING",))

    for told in (refused, behind, asking(pipe, ("PING",))):
        with pytest.raises(RedisAway) as away:
            await told
        assert isinstance(away.value.__cause__, ResponseError)
    assert pipe.is_closed


async def test_a_connection_that_is_lost_is_told_at_once(pipe: RedisPipe, other: Redis) -> None:
    [number] = await asking(pipe, ("CLIENT", "ID"))
    waiting = asking(pipe, ("BLPOP", "nothing", 0))

    await other.client_kill_filter(_id=str(number))

    with pytest.raises(RedisAway) as away:
        await waiting
    assert not away.value.is_silence
    assert pipe.is_closed


async def test_what_nobody_asked_for_is_no_answer_to_the_next(pipe: RedisPipe, other: Redis) -> None:
    assert await asking(pipe, ("MONITOR",)) == [b"OK"]

    await other.ping()
    await asyncio.sleep(0.1)

    with pytest.raises(RedisAway, match="an answer without a question"):
        await asking(pipe, ("PING",))


@pytest.mark.parametrize(
    "odd",
    [b"*0\r\n", b"*1\r\n$-1\r\n", b":1\r\n", b"$-1\r\n", b"*2\r\n%s$-1\r\n", b"*3\r\n%s:1\r\n*0\r\n"],
)
async def test_an_answer_of_another_shape_leaves_nobody_waiting(redis: RedisServer, odd: bytes) -> None:
    """Something between us and Redis answers MGET by itself."""
    marker = b""

    async def serve(ours: asyncio.StreamReader, to_us: asyncio.StreamWriter) -> None:
        theirs, to_them = await asyncio.open_connection("127.0.0.1", redis.port)
        while asked := await ours.read(65536):
            if b"MGET" in asked:
                to_us.write(odd % marker if b"%s" in odd else odd)
            else:
                to_them.write(asked)
                to_us.write(await theirs.read(65536))
        to_them.close()
        to_us.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = RedisAddress.read(f"redis://127.0.0.1:{port}/{DATABASE}", timeout_seconds=SECONDS)
    denylist = Denylist(RedisLink(RedisRoute(address)), RedisLink(RedisRoute(address)))
    node = await denylist.checks.open()
    denylist.trust(node)
    marker = b"$%d\r\n%s\r\n" % (len(node.marker), node.marker)

    for _ in range(2):  # the second time nothing is asked any more
        found = denylist.find(["client:a", "sid:b"])
        await asyncio.wait([found], timeout=4 * SECONDS)
        assert found.done()
        assert isinstance(found.exception(), RedisAway)
    assert not denylist.is_trusted
    await denylist.close()
    server.close()
    await server.wait_closed()
