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

from authsvc.storage.standing import TokenNames
from authsvc.tokens.access_token import AccessToken

MOST_TOKENS = 16_384  # some 2 KiB each


@dataclass(frozen=True, slots=True)
class SignedToken:
    """What a good signature stands for."""

    facts: AccessToken
    names: TokenNames
    not_before: datetime | None


class VerifiedCache:
    """The tokens that were read last, by their SHA-256: a token itself is kept nowhere."""

    def __init__(self, at_most: int = MOST_TOKENS) -> None:
        self._at_most = at_most
        self._tokens: dict[bytes, SignedToken] = {}

    def recall(self, sha256: bytes) -> SignedToken | None:
        """Return what this token carried, if it is remembered."""
        return self._tokens.get(sha256)

    def remember(self, sha256: bytes, signed: SignedToken) -> None:
        """Keep *signed*; the one that was read longest ago may go."""
        if self._at_most:
            if len(self._tokens) >= self._at_most:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[sha256] = signed
