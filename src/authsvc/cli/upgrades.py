"""The body of a request that asks for an upgrade, which it does not get (RFC 9110 §7.8).

The parser takes all that follows the headers of such a request for another protocol. Its body would be read
as the next request, and whoever sent it would choose what the next user of the connection is answered.
"""

from collections.abc import Callable, Iterable
from types import SimpleNamespace

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from authsvc.endpoints.whole_answer import joined

_CALLBACKS = (
    "on_message_begin",
    "on_url",
    "on_header",
    "on_headers_complete",
    "on_body",
    "on_message_complete",
)


def framing_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the lines that tell where the body ends, as they came; none if there is no body."""
    return joined([(name, value) for name, value in headers if _tells_of_a_body(name, value)])


def _tells_of_a_body(name: bytes, value: bytes) -> bool:
    return name == b"transfer-encoding" or (name == b"content-length" and bool(value.strip(b" \t0")))


def parser_behind_headers(connection: HttpToolsProtocol, framing: bytes) -> HttpRequestParser:
    """Return a parser that has read headers with this *framing*, and tells *connection* what comes then."""
    is_behind = False

    def telling(name: str) -> Callable[..., None]:
        def tell(*said: bytes) -> None:
            if is_behind:
                getattr(connection, name)(*said)

        return tell

    parser = HttpRequestParser(SimpleNamespace(**{name: telling(name) for name in _CALLBACKS}))
    parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
    parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n")
    is_behind = True
    return parser
