"""Answers that are written in one piece are, byte for byte, those that a server writes from two messages."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from authsvc.endpoints.whole_answer import EXTENSION, headers_of, lines_of
from tests.fixtures.one_connection import ASK, BODY, HEADERS, LAST, answering, listening, told


@pytest.mark.parametrize(
    ("requests", "answers"),
    [
        pytest.param([ASK], 1, id="one"),
        pytest.param([ASK, ASK, ASK], 3, id="several behind each other"),
        pytest.param([ASK + ASK + LAST], 9, id="several at once, then the end"),
        pytest.param([LAST], 9, id="the last"),
        pytest.param([ASK.replace(b"HTTP/1.1", b"HTTP/1.0")], 9, id="of HTTP/1.0"),
        pytest.param(
            [ASK.replace(b"Host: auth", b"Host: auth\r\nExpect: 100-continue")], 2, id="that waits to be told"
        ),
    ],
)
async def test_a_whole_answer_is_written_as_in_two_messages(requests: list[bytes], answers: int) -> None:
    whole, apart = [
        await told(answering(200, HEADERS, BODY, at_once=at_once), *requests, answers=answers)
        for at_once in (True, False)
    ]

    assert BODY in whole
    assert whole == apart


@pytest.mark.parametrize("status", [200, 400, 401, 429, 503])
async def test_it_has_its_status_and_all_its_headers(status: int) -> None:
    headers = [*HEADERS, (b"x-auth-user", b"b%C3%A9a"), (b"x-auth-scope", b"")]

    whole, apart = [
        await told(answering(status, headers, BODY, at_once=at_once), LAST, answers=9)
        for at_once in (True, False)
    ]

    assert whole.startswith(b"HTTP/1.1 %d " % status)
    assert b"x-auth-scope: \r\n" in whole
    assert whole == apart


@pytest.mark.parametrize("control", [b"\r\nset-cookie: a=b", b"\n", b"\0", b"\x7f"])
def test_a_control_character_splits_no_answer(control: bytes) -> None:
    with pytest.raises(ValueError, match="control character"):
        lines_of([*HEADERS, (b"x-auth-user", b"bea" + control)])


def test_lines_are_read_as_the_headers_that_they_were_made_of() -> None:
    headers = [*HEADERS, (b"x-auth-scope", b""), (b"x-empty", b" "), (b"x-auth-user", b"a: b")]

    assert headers_of(lines_of(headers)) == headers


async def test_who_reads_nothing_is_not_written_to_without_end() -> None:
    """While earlier answers are unread the server takes none whole, but waits with the next."""
    long = b"x" * 2_000_000
    headers = [(b"content-length", b"%d" % len(long))]
    taken: list[bool] = []
    refused = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        taken.append(scope["extensions"][EXTENSION](scope, 200, lines_of(headers), long))
        if not taken[-1]:
            refused.set()
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": long})

    async with listening(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(ASK * 12)
        async with asyncio.timeout(5):
            await asyncio.wait([asyncio.create_task(refused.wait())], timeout=2)
            assert refused.is_set()
            unread = len(taken)
            await asyncio.sleep(0.1)
            assert len(taken) == unread < 12
            got = 0
            while got < 12 * len(long):
                got += len(await reader.read(1_000_000))
        writer.close()
    assert len(taken) == 12


async def test_who_has_left_is_not_written_to(caplog: pytest.LogCaptureFixture) -> None:
    reached, left = asyncio.Event(), asyncio.Event()
    taken: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        reached.set()
        assert (await receive())["type"] == "http.disconnect"
        taken.append(scope["extensions"][EXTENSION](scope, 200, lines_of(HEADERS), BODY))
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        left.set()

    async with listening(app) as port, asyncio.timeout(5):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK)
        await reached.wait()
        writer.close()
        await left.wait()
    assert taken == [False]
    assert caplog.text == ""
