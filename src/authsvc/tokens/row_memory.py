"""What rows of opaque tokens mean that were read before.

Saves: checking the token's tag, asking for what cannot have changed, taking it apart, and writing the same
description, again.
Invariant: an entry says "the row of this version, of the account of this name, means this"; Postgres was
asked for both just now, and for the session's end and who is disabled, in one statement. Where either is
another, the row is read anew. Whether the time is over is asked at each check.
On failure: nothing can fail; what was forgotten is read anew.
To switch it off: `at_most=0`.
"""

from dataclasses import dataclass
from typing import TypeAlias

from authsvc.tokens.access_token import AccessToken
from authsvc.tokens.bounded_memory import BoundedMemory

MOST_ROWS = 16_384  # some 2 KiB each

Seen: TypeAlias = tuple[int | None, str | None]
"""The version of a token's row, and the username of its account."""


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row that was read, and the facts that stand in it."""

    seen: Seen
    facts: AccessToken


class RowMemory(BoundedMemory[KnownRow]):
    """The rows that were read last, by the SHA-256 of their tokens."""

    def __init__(self, at_most: int = MOST_ROWS) -> None:
        super().__init__(at_most)
