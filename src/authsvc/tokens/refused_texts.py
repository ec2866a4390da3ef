"""Texts that were looked at and are no tokens of ours.

Saves: looking at them again, the signature above all: a client that keeps sending a dead token costs no more
than one with a live one.
Invariant: an entry says "this very text has no good signature of any key that was known", which a key that is
known now can make untrue only if the text names another. So a text is refused from here if it names none, or
one that was known; or else if its key is asked for once more, and is still unknown.
On failure: nothing can fail; what was forgotten is looked at anew.
To switch it off: `at_most=0`.
"""

from datetime import datetime

from authsvc.tokens.bounded_memory import BoundedMemory
from authsvc.tokens.keys import KeyRing

MOST_TEXTS = 8192  # some 200 bytes each
_LONGEST_KID = 64  # ours are half as long


class RefusedTexts:
    """The texts that were refused last, each with the unknown key that it names, or an empty name."""

    def __init__(self, at_most: int = MOST_TEXTS) -> None:
        self._kids: BoundedMemory[bytes, str] = BoundedMemory(at_most)

    def surely_include(self, sha256: bytes, keys: KeyRing, now: datetime) -> bool:
        """Whether this text was refused, and nothing has to be asked for to refuse it again."""
        kid = self._kids.get(sha256)
        return kid is not None and (not kid or keys.lacks(kid, now))

    async def include(self, sha256: bytes, keys: KeyRing) -> bool:
        """Whether this text was refused, and would be again.

        Raises:
            Unavailable: its key is unknown here and the database cannot be asked for it.
        """
        kid = self._kids.get(sha256)
        return kid is not None and (not kid or await keys.find(kid) is None)

    def add(self, sha256: bytes, kid: str | None, keys: KeyRing) -> None:
        """Keep a text that was refused and names *kid*."""
        unknown = "" if kid is None or keys.holds(kid) else kid
        if len(unknown) <= _LONGEST_KID:
            self._kids.keep(sha256, unknown)
