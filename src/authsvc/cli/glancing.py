"""Requests for which a glance is enough are answered without a task of their own, and without a scope.

Saves: what uvicorn makes of a request before anything is done about it, and starting and ending a task; half
of what answering an introspection takes.
Invariant: a request is kept from uvicorn only while nothing happens on its connection but that its rest
comes, in the same read, and that it is answered. Before anything else (more data, the end, a refusal, a
stop), uvicorn is told of it, and does as ever.
On failure: uvicorn is told of it, and the request is started.
To switch it off: let the server have `BoundedConnection`.
"""

from asyncio import Transport
from contextvars import copy_context

from starlette.types import Scope  # noqa: TC002 - a type that says what the attribute is
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from authsvc.cli.connections import BoundedConnection
from authsvc.cli.whole_answers import take_whole, write_whole
from authsvc.endpoints.whole_answer import GLANCE, Glancer


class GlancingConnection(BoundedConnection):
    """Lets the application glance at a request before uvicorn is told of it."""

    _glancer: Glancer | None = None
    _held: "_Held | None" = None
    _told_of: "_Held | None" = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Let it in, and see whether the application glances at all."""
        # Below a path of its own the application knows other targets than are sent.
        self._glancer = None if self.root_path else self.app_state.get(GLANCE)
        self._context = copy_context()
        super().connection_made(transport)

    # It asks.
    def data_received(self, data: bytes) -> None:
        """Read on. A request whose rest is still to come is started."""
        super().data_received(data)
        if self._held is not None and not self._held.is_whole:
            self._held.let_go()

    def on_message_begin(self) -> None:
        """Begin with the next request."""
        self.hold_nothing()
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def _take_up(self) -> None:
        # Whatever it is: what is malformed in the same read is then never started.
        if self._glancer is None or self._is_in_work:
            self._announce()
        else:
            self._held = _Held(self)

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._vain_bytes = 0
            self._held.parts.append(body)

    def _take_up_whole(self) -> None:
        """Let the application glance at the request that is held, now that it is here whole."""
        held, glancer = self._held, self._glancer
        if held is None or glancer is None:
            super()._take_up_whole()
            return
        held.is_whole = True
        is_plain = held.is_plain and held.target in glancer.targets and not self.expect_100_continue
        try:
            is_for_it = is_plain and glancer.glance(held)
        except Exception:  # noqa: BLE001 - whatever it is, the application meets it too, and tells
            is_for_it = False
        if not is_for_it:
            held.let_go()

    @property
    def _is_in_work(self) -> bool:
        return self._held is not None or super()._is_in_work

    # It is answered.
    def answer(self, held: "_Held", status: int, lines: bytes, body: bytes) -> bool:
        """Send the answer to the request that is held; tell whether it was sent."""
        if self.flow.write_paused:
            return False
        self._held = None
        defaults = self.server_state.default_headers
        write_whole(self.transport, defaults, status, lines, body, keep_alive=held.keep_alive)
        self.on_response_complete()
        return True

    # Something else happens.
    def hold_nothing(self) -> None:
        """Let uvicorn make of a request that is held what it makes of any, but for its start."""
        held = self._held
        if held is None:
            return
        # It asks the parser of the request whose headers came last, which may be one that began since.
        parser, self.parser = self.parser, held  # type: ignore[assignment] # all that is asked of it
        self._held, self._told_of = None, held
        try:
            self._announce()
            if held.is_whole:
                self.cycle.body += held.body  # nothing is left to be read more slowly
                super()._take_up_whole()
            else:
                for part in held.parts:
                    super().on_body(part)
        finally:
            self.parser, self._told_of = parser, None

    def _announce(self) -> None:
        """Tell uvicorn of the headers of a request, which it was not told had begun."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # the scope has this very list
        super()._take_up()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if self._told_of is None:
            self.start(cycle, app)
        else:
            self._told_of.cycle, self._told_of.app, self._served = cycle, app, cycle

    def start(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Start a request. In the connection's context: somebody else's may have told that it is its turn."""
        self._context.copy().run(super()._start_asgi_task, cycle, app)

    def shutdown(self) -> None:
        """Close once what was asked is answered."""
        self.hold_nothing()
        super().shutdown()

    def _leave_request(self) -> None:
        self.hold_nothing()
        super()._leave_request()

    def _refuse(self, status: int, limit: str, sentence: str, headers: str = "") -> None:
        self.hold_nothing()
        super()._refuse(status, limit, sentence, headers)


class _Held:
    """A request for as long as it is not started. Of uvicorn's parser it has what is asked of a request."""

    __slots__ = (
        "_connection",
        "_http_version",
        "_is_started",
        "_is_upgrade",
        "_method",
        "app",
        "cycle",
        "is_whole",
        "keep_alive",
        "parts",
        "scope",
    )

    def __init__(self, connection: GlancingConnection) -> None:
        parser = connection.parser
        self._connection = connection
        self._method: bytes = parser.get_method()
        self._http_version: str = parser.get_http_version()
        self._is_upgrade: bool = parser.should_upgrade()
        self.keep_alive: bool = parser.should_keep_alive()
        self.parts: list[bytes] = []
        self.is_whole = False
        self._is_started = False
        self.cycle: RequestResponseCycle | None = None
        self.app: ASGI3Application | None = None
        # Of what ASGI has, that which a glance needs.
        self.scope: Scope = {
            "type": "http",
            "method": self._method.decode(),
            "path": connection.url.decode("latin-1"),
            "query_string": b"",
            "headers": connection.headers,
            "client": connection.client,
        }

    @property
    def target(self) -> bytes:
        """Its method and what it is sent to."""
        return self._method + b" " + self._connection.url

    @property
    def is_plain(self) -> bool:
        """Whether nothing of it but its target, its headers and its body tells what to do."""
        return self._http_version == "1.1" and not self._is_upgrade

    @property
    def body(self) -> bytes:
        """What it brought."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)

    def take(self, status: int, lines: bytes, body: bytes) -> bool:
        """Send the answer; tell whether it was sent."""
        if self._is_started:
            return False
        if self.cycle is None:
            return self._connection.answer(self, status, lines, body)
        return take_whole(self.cycle, status, lines, body)

    def let_go(self) -> bool:
        """Start it, if anybody is left to answer; tell whether that is so."""
        self._connection.hold_nothing()
        if self._is_started or self.cycle is None or self.app is None or self.cycle.disconnected:
            return self._is_started
        self._is_started = True
        self._connection.start(self.cycle, self.app)
        return True

    # As the parser has it.
    def get_method(self) -> bytes:
        """Return the method."""
        return self._method

    def get_http_version(self) -> str:
        """Return the version."""
        return self._http_version

    def should_keep_alive(self) -> bool:
        """Whether the connection may be kept open."""
        return self.keep_alive

    def should_upgrade(self) -> bool:
        """Whether it asks for another protocol."""
        return self._is_upgrade
