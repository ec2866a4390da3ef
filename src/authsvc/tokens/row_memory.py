"""What rows of opaque tokens mean that were read before.

Saves: checking the token's tag and writing the same description again; where a glance is enough, also asking
for what cannot have changed, and taking it apart.
Invariant: an entry says "the row of this version, of the account of this name, means this"; Postgres was
asked for both just now, and for the session's end and who is disabled, in one statement. Where either is
another, the row is read anew. Whether the time is over is asked at each check.
On failure: nothing can fail; what was forgotten is read anew.
To switch it off: `at_most=0`. On SQLite, whose rows have no version, nothing is remembered.
"""

from dataclasses import dataclass

from authsvc.tokens.access_token import AccessToken
from authsvc.tokens.bounded_memory import BoundedMemory

MOST_ROWS = 16_384  # some 2 KiB each, and up to 10 with the longest names and scopes


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A row that was read: its version, and the facts that stand in it and around it."""

    version: int
    facts: AccessToken

    def is_as(self, version: int | None, username: str | None) -> bool:
        """Whether a row of this version, and of an account of this name, still means the same."""
        return self.version == version and self.facts.username == username


class RowMemory(BoundedMemory[bytes, KnownRow]):
    """The rows that were read last, by the SHA-256 of their tokens."""

    def __init__(self, at_most: int = MOST_ROWS) -> None:
        super().__init__(at_most)
