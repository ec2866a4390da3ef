"""The connections of one process: how many there are, and how long each may keep it waiting.

uvicorn has a time-out for a connection that is idle between two requests, and none for one that sends its
first request, or the headers of any, byte by byte, nor for one that does not read its answers. Whatever waits
can be closed to make room for who comes. For a request that comes whole this costs no timer.
"""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from typing import Any

import httptools
from starlette.types import Scope
from uvicorn import Config
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from authsvc.cli.connection_bounds import (
    MOST_HEADER_BYTES,
    Connections,
    TooLargeError,
    expect_readable,
    expect_small,
)
from authsvc.cli.lazy_timer import LazyTimer
from authsvc.cli.upgrades import framing_of, parser_behind_headers
from authsvc.cli.whole_answers import last_problem, take_whole
from authsvc.endpoints.whole_answer import EXTENSION
from authsvc.metrics import REQUESTS_REFUSED


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's own, within these bounds.

    Invariant: one without a request in work is among `waiting`, and runs a timer that ends it.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
        *,
        all_of_them: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all = all_of_them
        self._head_bytes = 0
        self._read_bytes = 0
        self._vain_bytes = 0
        self._is_between = True
        self._framing = b""
        self._served: RequestResponseCycle | None = None
        # One for all requests: one of each, which knew it, would be garbage that only the collector finds.
        self._extensions: dict[str, Any] = {EXTENSION: self._take_whole}
        self._late: TimerHandle | None = None
        self._idle = LazyTimer(self.loop, self.timeout_keep_alive, self._cut)
        self._unread: TimerHandle | None = None

    # It comes and goes.
    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Let it in; if there are too many, close another that waits, or refuse it."""
        super().connection_made(transport)
        if len(self.connections) > self._all.most and not self._make_room():
            self._refuse(503, "connections", "Too many connections are in use now.", "retry-after: 1\r\n")
            return
        self._all.waiting[self] = None
        self._late = self.loop.call_later(self._all.header_seconds, self._is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._leave_request()
        super().connection_lost(exc)
        self._all.waiting.pop(self, None)
        self._idle.cancel()
        for timer in (self._late, self._unread):
            if timer is not None:
                timer.cancel()

    def _make_room(self) -> bool:
        longest = next(iter(self._all.waiting), None)
        if longest is None:
            return False
        REQUESTS_REFUSED.labels("connections").inc()
        del self._all.waiting[longest]
        longest._cut()  # noqa: SLF001 - one of ours
        return True

    # It asks.
    def data_received(self, data: bytes) -> None:
        """Read on. A malformed request is refused, as one that is too large or too slow."""
        self._idle.stop()
        self._read_bytes = len(data)
        if self._is_between:
            self._head_bytes += len(data.lstrip(b"\r\n"))  # which begin no request (RFC 9112 §2.2)
        else:
            self._vain_bytes += len(data)  # unless something of the body is among them
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, TooLargeError):
                self._refuse(431, "headers", "The headers of the request are too large.")
            else:
                self._refuse(400, "malformed", "This is no request of HTTP/1.1.")
            return
        if (self._head_bytes if self._is_between else self._vain_bytes) > MOST_HEADER_BYTES:
            self._refuse(431, "headers", "The headers of the request are too large.")
        elif self._late is None and not self._is_in_work:
            self._late = self.loop.call_later(self._all.header_seconds, self._is_late)

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # To no other protocol: it is served as it is (RFC 9110 §7.8), and so are those behind it.
                data = data[upgrade.args[0] or len(data) :]
                if self._framing:
                    self.parser, self._framing = parser_behind_headers(self, self._framing), b""
            else:
                return

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; as uvicorn, but that a trailer is none (RFC 9110 §6.5.1)."""
        if self._is_between:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._vain_bytes = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """Begin to serve the request; its body may still be on the way."""
        if self._late is not None:
            self._late.cancel()
            self._late = None
        expect_small(self.headers, come=max(self._head_bytes, self._read_bytes))
        expect_readable(self.url)
        self._is_between, self._head_bytes, self._vain_bytes = False, 0, 0
        if self.parser.should_upgrade():
            self._framing = framing_of(self.headers)
        self._take_up()

    def _take_up(self) -> None:
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._served = cycle
        cycle.scope["extensions"] = self._extensions
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        """Note that the request is here whole."""
        if self._framing:  # so says the parser, which reads no body behind an upgrade
            return
        self._is_between = True
        if self._is_in_work:
            self._all.waiting.pop(self, None)
        self._take_up_whole()

    def _take_up_whole(self) -> None:
        super().on_message_complete()

    def _take_whole(self, scope: Scope, status: int, lines: bytes, body: bytes) -> bool:
        cycle = self._served
        return cycle is not None and cycle.scope is scope and take_whole(cycle, status, lines, body)

    @property
    def _is_in_work(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)  # there is none before the first request

    @property
    def _awaits_body(self) -> bool:
        return not self._is_between and not self.pipeline

    # It is answered.
    def on_response_complete(self) -> None:
        """Begin with the next request, or wait for one; as uvicorn, but for its timer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._wait_for_reader()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._idle.start()
        if not self._is_in_work or self._awaits_body:
            self._all.waiting[self] = None

    def pause_writing(self) -> None:
        """Note that answers are not read; they are kept for so long."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Note that they are."""
        super().resume_writing()
        if self._unread is not None and not self.transport.is_closing():
            self._unread.cancel()
            self._unread = None

    # It is cut.
    def _cut(self) -> None:
        self._leave_request()
        self.transport.abort()

    def _leave_request(self) -> None:
        """Tell the request in work that nobody is left; uvicorn tells only the last that came."""
        if self._served is not None:
            self._served.disconnected = True
            self._served.message_event.set()

    def _is_late(self) -> None:
        self._late = None
        if self.transport.is_closing():
            return
        if self._is_between and self._head_bytes:
            self._refuse(408, "header time", "The headers of the request did not come in time.")
        else:  # nothing was asked, or it was answered before all of it had come
            REQUESTS_REFUSED.labels("header time").inc()
            self._cut()

    def _refuse(self, status: int, limit: str, sentence: str, headers: str = "") -> None:
        """Answer what the application never sees, and close."""
        REQUESTS_REFUSED.labels(limit).inc()
        if self._is_in_work:
            if self._is_between or self.pipeline or self.cycle.response_started:
                # It would be taken for the answer to the request before.
                self._cut()
                return
            self._leave_request()
        self.transport.write(last_problem(status, sentence, self._all.headers + headers))
        self.transport.close()
        self._wait_for_reader()

    def _wait_for_reader(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(self._all.write_seconds, self._give_up)

    def _give_up(self) -> None:
        REQUESTS_REFUSED.labels("read time").inc()
        self._cut()
