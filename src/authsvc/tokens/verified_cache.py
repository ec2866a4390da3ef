"""Signatures that were already checked.

Saves: checking the same signature and reading the same claims again, 3 of 4 parts of judging a token.
Invariant: an entry says "this very text carried a good signature of this key, and these claims", which can
never become untrue. Whether the token is live is asked at each check: the key may be withdrawn, the time be
over, the audience or the session be gone.
On failure: nothing can fail; what was forgotten is checked anew.
To switch it off: `at_most=0`.
"""

from dataclasses import dataclass
from datetime import datetime

from authsvc.storage.denylist import Found
from authsvc.storage.standing import Standing, TokenNames, told_by
from authsvc.tokens.access_token import AccessToken
from authsvc.tokens.bounded_memory import BoundedMemory

MOST_TOKENS = 16_384  # some 2 KiB each, and up to 10 with the longest names and scopes


@dataclass(frozen=True, slots=True)
class SignedToken:
    """What a good signature stands for."""

    facts: AccessToken
    names: TokenNames
    not_before: datetime | None

    @property
    def entries(self) -> tuple[str, ...]:
        """Those in the denylist that would concern it."""
        return self.names.entries

    def live(self, found: Found) -> AccessToken | None:
        """Return its facts, if no entry that was *found* is against it."""
        return self.facts if told_by(found, self.names) is Standing.LIVE else None


class VerifiedCache(BoundedMemory[bytes, SignedToken]):
    """What the tokens carried that were read last."""

    def __init__(self, at_most: int = MOST_TOKENS) -> None:
        super().__init__(at_most)
