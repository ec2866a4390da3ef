"""Answers that are there whole, written in one piece.

Saves: what uvicorn does for each header of an answer and between its two messages, as much as finding out
the answer to an introspection takes.
Invariant: the bytes on the wire are those that uvicorn would have written.
On failure: what would have to wait for its reader is left to uvicorn.
To switch it off: `BoundedConnection._start_asgi_task` without the extension.
"""

import json
from asyncio import Transport
from collections.abc import Sequence
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from authsvc.endpoints.error_responses import problem_body
from authsvc.endpoints.whole_answer import Header, joined


class _Lines:
    """The lines of the headers that all answers of a second have, which uvicorn makes anew each second."""

    def __init__(self) -> None:
        self._headers: Sequence[Header] = ()
        self._lines = b""

    def of(self, headers: Sequence[Header]) -> bytes:
        if headers is not self._headers:
            self._headers, self._lines = headers, joined(headers)
        return self._lines


_lines_of_all = _Lines()
_CLOSE = b"connection: close\r\n"
_REFUSALS = range(400, 600)  # others say nothing of the connection


def take_whole(cycle: RequestResponseCycle, status: int, lines: bytes, body: bytes) -> bool:
    """Send the whole answer of *cycle*; its header *lines* tell its length.

    Returns:
        whether it was sent; if not, nothing was.
    """
    if cycle.disconnected or cycle.flow.write_paused or cycle.response_started:
        return False
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.keep_alive = write_whole(
        cycle.transport, cycle.default_headers, status, lines, body, keep_alive=cycle.keep_alive
    )
    cycle.message_event.set()
    cycle.on_response()
    return True


def write_whole(
    transport: Transport,
    defaults: Sequence[Header],
    status: int,
    lines: bytes,
    body: bytes,
    *,
    keep_alive: bool,
) -> bool:
    """Write an answer that also has *defaults*, the headers of all answers.

    Returns:
        whether the connection is kept open; if not, it is closed.
    """
    if status in _REFUSALS and _CLOSE in lines:
        keep_alive = False
    elif not keep_alive:
        lines += _CLOSE
    transport.write(b"".join((STATUS_LINE[status], _lines_of_all.of(defaults), lines, b"\r\n", body)))
    if not keep_alive:
        transport.close()
    return keep_alive


def last_problem(status: int, sentence: str, headers: str) -> bytes:
    """Return the answer to what is no request, with *headers* as lines; it is the last of its connection."""
    body = json.dumps(problem_body(status, sentence))
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n{headers}connection: close\r\n\r\n"
    )
    return (head + body).encode()
