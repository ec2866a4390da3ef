"""Answers that are there whole, written in one piece.

Saves: what uvicorn does for each header of an answer and between its two messages, as much as finding out
the answer to an introspection takes.
Invariant: the bytes on the wire are those that uvicorn would have written.
On failure: what is not plain, or would have to wait for its reader, is left to uvicorn.
To switch it off: `BoundedConnection._start_asgi_task` without the extension.
"""

from collections.abc import Sequence

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

Headers = Sequence[tuple[bytes, bytes]]


def take_whole(cycle: RequestResponseCycle, status: int, headers: Headers, body: bytes) -> bool:
    """Send the whole answer of *cycle*, whose headers tell its length and nothing of the connection.

    Returns:
        whether it was sent; if not, nothing was.
    """
    if cycle.disconnected or cycle.flow.write_paused or cycle.response_started:
        return False
    if not b"".join([value for _, value in headers]).decode("latin-1").isprintable():
        return False
    lines = [b": ".join(header) for header in (*cycle.default_headers, *headers)]
    if not cycle.keep_alive:
        lines.append(b"connection: close")
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(STATUS_LINE[status] + b"\r\n".join(lines) + b"\r\n\r\n" + body)
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True
