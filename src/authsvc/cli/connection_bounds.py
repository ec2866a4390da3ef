"""What the connections of one process may take, and which of them can be closed to make room."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from authsvc.cli.connections import BoundedConnection

MOST_HEADERS: Final = 100
MOST_HEADER_BYTES: Final = 32 * 1024


@dataclass
class Connections:
    """The bounds, and the connections that have no whole request in work, the longest waiting first."""

    most: int
    header_seconds: float
    write_seconds: float
    headers: str
    """What every answer has, each line with its end."""
    waiting: dict["BoundedConnection", None] = field(default_factory=dict)
