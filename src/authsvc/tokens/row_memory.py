"""How rows of opaque tokens read that were read before.

Saves: checking the token's tag, taking the same row apart, and writing the same description, again.
Invariant: an entry says "this very row means this"; Postgres was asked for the row just now, and one that
differs in anything is read anew. Whether the time is over is asked at each check.
On failure: nothing can fail; what was forgotten is read anew.
To switch it off: `at_most=0`.
"""

from authsvc.storage.database import Row
from authsvc.tokens.access_token import Verdict
from authsvc.tokens.bounded_memory import BoundedMemory

MOST_ROWS = 16_384  # some 2 KiB each


class RowMemory:
    """The rows that were read last, and what they meant."""

    def __init__(self, at_most: int = MOST_ROWS) -> None:
        self._verdicts: BoundedMemory[tuple[Row, Verdict]] = BoundedMemory(at_most)

    def knows(self, sha256: bytes) -> bool:
        """Whether there was a row of this token, which so has the tag of one of ours."""
        return sha256 in self._verdicts

    def recall(self, sha256: bytes, row: Row) -> Verdict | None:
        """Return what *row* of this token means, if it is remembered."""
        known = self._verdicts.get(sha256)
        return known[1] if known is not None and known[0] == row else None

    def remember(self, sha256: bytes, row: Row, verdict: Verdict) -> Verdict:
        """Keep *verdict* and return it."""
        self._verdicts.keep(sha256, (row, verdict))
        return verdict
