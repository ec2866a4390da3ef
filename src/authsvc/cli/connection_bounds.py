"""What the connections of one process may take, and which of them can be closed to make room."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import httptools

if TYPE_CHECKING:
    from authsvc.cli.connections import BoundedConnection

MOST_HEADERS: Final = 100
MOST_HEADER_BYTES: Final = 32 * 1024
_LONGEST_READABLE = 65_535  # the parser of targets counts in 16 bits


@dataclass
class Connections:
    """The bounds, and the connections that have no whole request in work, the longest waiting first."""

    most: int
    header_seconds: float
    write_seconds: float
    headers: str
    """What every answer has, each line with its end."""
    waiting: dict["BoundedConnection", None] = field(default_factory=dict)


class TooLargeError(Exception):
    """A request has more headers than it may."""


def expect_small(headers: Sequence[tuple[bytes, bytes]], *, come: int) -> None:
    """See that a request of which so many bytes have *come* has no more *headers* than it may.

    Raises:
        TooLargeError: it has.
    """
    # The second is exact, and asked only where so much has come at all.
    if len(headers) > MOST_HEADERS or (
        come > MOST_HEADER_BYTES
        and sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES
    ):
        raise TooLargeError


def expect_readable(target: bytes) -> None:
    """See that uvicorn will be able to read what a request is sent to, before anything is begun.

    Raises:
        Exception: it will not; the parser makes of it that the request is malformed.
    """
    if not target.startswith(b"/") or len(target) > _LONGEST_READABLE:
        httptools.parse_url(target).path.decode()
