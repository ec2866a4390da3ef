"""Answers that are there whole: their headers are lines of text, as they are sent.

Our own server takes such an answer by an extension to ASGI. Other servers have none, and get the same answer
in the two messages that they know.
"""

import re
from collections.abc import Callable, Container, Sequence
from typing import Protocol

from starlette.types import Scope

EXTENSION = "authsvc.whole_answer"
GLANCE = "authsvc.glance"
"""Under this name the state of a lifespan has the `Glancer`."""

TakeWhole = Callable[[Scope, int, bytes, bytes], bool]
"""Is given request, status, header lines and body; tells whether it sent them, else it sent nothing."""

Header = tuple[bytes, bytes]


class Held(Protocol):
    """A request that is here whole, and was not started yet."""

    @property
    def scope(self) -> Scope:
        """As ASGI has it."""

    @property
    def body(self) -> bytes:
        """All of it."""

    def take(self, status: int, lines: bytes, body: bytes) -> bool:
        """Take the answer; the same as `TakeWhole`."""

    def let_go(self) -> bool:
        """Start it, as any other; tell whether anybody is left who waits for it."""


class Glancer(Protocol):
    """An application that may answer a request by a glance at it."""

    @property
    def targets(self) -> Container[bytes]:
        """Of which requests there is anything to glance at: method and target, as they are sent."""

    def glance(self, held: Held) -> bool:
        """Tell whether it answers the request, or lets it go, once it can."""


_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def lines_of(headers: Sequence[Header]) -> bytes:
    """Return *headers* as lines, each with its end.

    Raises:
        ValueError: a value holds a control character; it might not stay on its line.
    """
    if _CONTROL.search(b"".join([value for _, value in headers])):
        raise ValueError("a header holds a control character")
    return joined(headers)


def joined(headers: Sequence[Header]) -> bytes:
    """Return the same of *headers* that were looked at before."""
    return b"".join([name + b": " + value + b"\r\n" for name, value in headers])


def headers_of(lines: bytes) -> list[Header]:
    """Return the headers that *lines* were made of."""
    return [(name, value) for name, _, value in (line.partition(b": ") for line in lines.split(b"\r\n")[:-1])]
