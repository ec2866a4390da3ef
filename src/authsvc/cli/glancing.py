"""Requests for which a glance is enough are answered without a task of their own.

Saves: starting and ending a task for each, a third of what answering an introspection takes.
Invariant: uvicorn has made of the request what it makes of any, and only waits to start it; so what ends a
connection, queues requests behind each other, or stops the server, does so as ever.
On failure: the request is started.
To switch it off: let the server have `BoundedConnection`.
"""

from asyncio import Transport

from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from authsvc.cli.connections import BoundedConnection
from authsvc.cli.whole_answers import take_whole
from authsvc.endpoints.whole_answer import GLANCE, Glance


class GlancingConnection(BoundedConnection):
    """Lets the application glance at a request before that is started."""

    _glance: Glance | None = None
    _is_heading = False
    _held: "_Held | None" = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Let it in, and see whether the application glances at all."""
        self._glance = self.app_state.get(GLANCE)
        super().connection_made(transport)

    def on_headers_complete(self) -> None:
        """Hold the request back, until what has come is read."""
        self._is_heading = self._glance is not None
        try:
            super().on_headers_complete()
        finally:
            self._is_heading = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if self._is_heading:  # else it comes out of the queue
            self._held, self._served = _Held(self, cycle, app), cycle
        else:
            super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        """Let the application glance at the request that is held, now that it is here whole."""
        super().on_message_complete()
        held = self._held
        if held is None or not self._is_between:
            return
        self._held = None
        glance = self._glance
        if glance is None or held.cycle.waiting_for_100_continue or not glance(held):
            held.let_go()

    def data_received(self, data: bytes) -> None:
        """Read on. A request whose rest is still to come is started."""
        super().data_received(data)
        held, self._held = self._held, None
        if held is not None:
            held.let_go()

    def start(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Start a request that was held."""
        super()._start_asgi_task(cycle, app)


class _Held:
    """A request that is here whole, for as long as it is not started."""

    __slots__ = ("_app", "_connection", "cycle")

    def __init__(
        self, connection: GlancingConnection, cycle: RequestResponseCycle, app: ASGI3Application
    ) -> None:
        self._connection = connection
        self._app = app
        self.cycle = cycle

    @property
    def scope(self) -> Scope:
        """As ASGI has it."""
        return self.cycle.scope  # type: ignore[return-value] # uvicorn says more of it than others do

    @property
    def body(self) -> bytes:
        """What it brought."""
        return bytes(self.cycle.body)

    def take(self, status: int, lines: bytes, body: bytes) -> bool:
        """Send the answer; tell whether it was sent."""
        return take_whole(self.cycle, status, lines, body)

    def let_go(self) -> bool:
        """Start it, if anybody is left to answer; tell whether that is so."""
        if self.cycle.disconnected:
            return False
        self._connection.start(self.cycle, self._app)
        return True
