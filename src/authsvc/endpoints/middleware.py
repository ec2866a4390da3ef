"""What surrounds every request: its id, its log line and count, safe headers, and the last resort."""

import logging
import re
import time
from collections.abc import Container, Iterable, Sequence
from functools import cache, partial

import structlog
from prometheus_client import Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authsvc.endpoints.at_once import Answer, AtOnce
from authsvc.endpoints.error_responses import unexpected
from authsvc.endpoints.whole_answer import EXTENSION, Header, Held, TakeWhole, headers_of, lines_of
from authsvc.logs import REQUEST
from authsvc.metrics import REQUESTS
from authsvc.secret_tokens import new_request_id
from authsvc.stopping import Stop

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
# version, trace id, parent id, flags; all of ff or 0 says that there is none (W3C Trace Context §3.2)
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_CLIENT_LEFT = 499  # in metrics only, as nginx counts it
_CLOSE = (b"connection", b"close")
_METHODS = frozenset({"GET", "POST", "DELETE", "OPTIONS", "HEAD"})
_NONE: dict[str, TakeWhole] = {}

_ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
# Nothing that is answered here is a page; /docs, which is one, has a policy of its own.
_UNLESS_SET = [
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
]


def safe_headers(hsts_seconds: int) -> list[tuple[bytes, bytes]]:
    """Return the headers of every answer, whatever it is about; 0 seconds are no HSTS."""
    hsts = [(b"strict-transport-security", b"max-age=%d" % hsts_seconds)] if hsts_seconds else []
    return [*_ALWAYS, *hsts]


def headers_of_refusals(hsts_seconds: int) -> str:
    """Return the lines of those headers for an answer that is given before there is an application."""
    return lines_of(_frame(safe_headers(hsts_seconds))).decode()


def _frame(safe: list[Header], but: Container[bytes] = ()) -> list[Header]:
    """Return the headers that every answer gets, *but* those that may be its own and are there."""
    return [*safe, *(header for header in _UNLESS_SET if header[0] not in but)]


_logger = logging.getLogger("authsvc.request")
_log = structlog.stdlib.get_logger("authsvc.request")


class LastResort:
    """Innermost: what nobody expected becomes a plain 500 for the client and a traceback in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        has_begun = False

        async def send_noticed(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noticed)
        except ClientDisconnect:  # nobody is left to answer
            return
        except Exception:  # whatever it is: its text may hold a secret, so only the log gets it
            response = unexpected()
            if has_begun:
                raise
            await response(scope, receive, send)


class RequestFrame:
    """Outermost: every answer gets its headers, a preflight and a 500 too. Plain ASGI, so it costs little."""

    def __init__(
        self, app: ASGIApp, at_once: AtOnce, stop: Stop, *, hsts_seconds: int, is_behind_proxies: bool
    ) -> None:
        self._app = app
        self._at_once = at_once
        self._stop = stop
        self._is_behind_proxies = is_behind_proxies
        self._safe = safe_headers(hsts_seconds)
        self._lines = lines_of(_frame(self._safe))
        self._lines_of_uncached = lines_of(_frame(self._safe, but={b"cache-control"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope["headers"])
        bound = REQUEST.set(_named(request_id, scope))
        try:
            answer = await self._at_once.answer(scope, receive)
            if isinstance(answer, Answer):
                await self._send(answer, scope, send, request_id)
                _count(scope["method"], _path(answer.route), answer.status, time.perf_counter() - started)
            else:
                await self._serve(scope, answer, send, request_id, started)
        finally:
            REQUEST.reset(bound)

    @property
    def targets(self) -> Container[bytes]:
        """Those of which there is anything to glance at."""
        return self._at_once.targets

    def glance(self, held: Held) -> bool:
        """Answer a request that is here whole and held back, if `AtOnce.glance` can.

        Returns:
            whether it is answered, or let go, in time; if not, nothing was begun.
        """
        # The line for a request says where it came from, and what a proxy says of that is not read here.
        if self._stop.has_begun or (self._is_behind_proxies and _logger.isEnabledFor(logging.DEBUG)):
            return False
        return self._at_once.glance(held.scope, held.body, partial(self._tell, held, time.perf_counter()))

    def _tell(self, held: Held, started: float, answer: Answer | None) -> None:
        try:
            self._hand_over(held, started, answer)
        except Exception:  # noqa: BLE001 - whatever it is, others wait for the same to be told
            held.let_go()

    def _hand_over(self, held: Held, started: float, answer: Answer | None) -> None:
        if answer is not None and not self._stop.has_begun:
            scope = held.scope
            request_id = _request_id(scope["headers"])
            is_taken = held.take(answer.status, self._framed_lines(answer.lines, request_id), answer.body)
            if is_taken or not held.let_go():
                bound = REQUEST.set(_named(request_id, scope))
                status = answer.status if is_taken else _CLIENT_LEFT
                _count(scope["method"], _path(answer.route), status, time.perf_counter() - started)
                REQUEST.reset(bound)
        else:
            held.let_go()

    def _framed_lines(self, lines: bytes, request_id: str) -> bytes:
        frame = self._lines_of_uncached if b"cache-control: " in lines else self._lines
        return b"%bx-request-id: %b\r\n%b" % (lines, request_id.encode(), frame)

    async def _send(self, answer: Answer, scope: Scope, send: Send, request_id: str) -> None:
        lines = self._framed_lines(answer.lines, request_id)
        extensions = _NONE if self._stop.has_begun else scope.get("extensions", _NONE)
        take_whole: TakeWhole | None = extensions.get(EXTENSION)
        if take_whole is not None and take_whole(scope, answer.status, lines, answer.body):
            return
        headers = headers_of(lines)
        self._close(headers, scope)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, request_id: str, started: float
    ) -> None:
        status = 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._framed(list(message.get("headers", ())), scope, request_id)
            elif is_head:
                message["body"] = b""
            await send(message)

        # Whatever can be got can be asked for without its body (RFC 9110 §9.3.2).
        method = scope["method"]
        is_head = method == "HEAD"
        if is_head:
            scope = {**scope, "method": "GET"}

        await self._app(scope, receive, send_framed)
        _count(method, _path(scope.get("route")), status or _CLIENT_LEFT, time.perf_counter() - started)

    def _framed(self, headers: Sequence[Header], scope: Scope, request_id: str) -> list[Header]:
        # Names are in lower case, as ASGI has it.
        frame = _frame(self._safe, but=dict(headers))
        framed = [*headers, (b"x-request-id", request_id.encode()), *frame]
        self._close(framed, scope)
        return framed

    def _close(self, headers: list[Header], scope: Scope) -> None:
        # A connection is closed by agreement, or the next request might come while it closes (later
        # versions of HTTP have no such header).
        if self._stop.has_begun and scope.get("http_version", "").startswith("1"):
            headers.append(_CLOSE)


def _named(request_id: str, scope: Scope) -> tuple[str, str | None]:
    """Return what a line of the log says of the request that it is about."""
    client = scope.get("client")
    return request_id, client[0] if client else None


def _path(route: object) -> str:
    """Return the path of a route: one of a fixed set, never what was sent."""
    return getattr(route, "path", "unknown")


def _count(method: str, path: str, status: int, seconds: float) -> None:
    known = method if method in _METHODS else "other"
    _observer(known, path, status).observe(seconds)
    if _logger.isEnabledFor(logging.DEBUG):  # the line is not even made where nobody wants it
        _log.debug("request", method=known, route=path, status=status, seconds=round(seconds, 4))


@cache  # all three are of small fixed sets
def _observer(method: str, route: str, status: int) -> Histogram:
    return REQUESTS.labels(method, route, status)


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the id that the caller gave this request, or that of its trace, or a new one."""
    given = trace = None
    for name, value in headers:
        if name == b"x-request-id":
            given = given or _REQUEST_ID.fullmatch(value.decode("latin-1"))
        elif name == b"traceparent":
            trace = trace or _TRACEPARENT.fullmatch(value.decode("latin-1"))
    if given is not None:
        return given[0]
    return new_request_id() if trace is None else trace[1]
