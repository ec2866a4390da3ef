"""Which passwords may be set (NIST SP 800-63B-4 §3.1.1.2): long ones that are hard to guess.

There are no composition rules. Only new passwords are judged; one that was set before stays good.
"""

import unicodedata
from dataclasses import dataclass

from authsvc.common_passwords import is_common
from authsvc.errors import Unprocessable
from authsvc.passwords import MAX_LENGTH, PasswordHasher, is_storable, normalise

_ESTIMATED_LENGTH = 64
"""The estimate takes 3 ms for so many characters, 15 ms at the worst, and holds the interpreter meanwhile."""
_BESIDE_THE_NAME = 8


@dataclass(frozen=True)
class PasswordPolicy:
    """What a new password must be; *min_score* is zxcvbn's, of 4, and 0 asks for none."""

    min_length: int
    min_score: int
    hasher: PasswordHasher

    async def accept(self, password: str, *, username: str) -> str:
        """Return the form of *password* that is to be hashed.

        Raises:
            Unprocessable: it may not be set; the sentence says why.
            Unavailable: too many passwords are being hashed.
        """
        secret = normalise(password)
        self._require_length(secret)
        if not is_storable(secret):
            raise Unprocessable("A password holds no control characters.")
        # Reading the list and estimating block, as hashing does.
        refusal = await self.hasher.beside_hashing(lambda: self._guessable(secret, username))
        if refusal is not None:
            raise Unprocessable(refusal)
        return secret

    def _require_length(self, secret: str) -> None:
        length = len(secret)
        if not self.min_length <= length <= MAX_LENGTH:
            raise Unprocessable(
                f"A password has {self.min_length} to {MAX_LENGTH:,} characters; this one has {length:,}."
            )

    def _guessable(self, secret: str, username: str) -> str | None:
        if _is_little_more_than(username, secret):
            return "This password is little more than the account's name; choose one without it."
        if is_common(secret):
            return "This password is on the list of common ones, which are tried first; choose another."
        return self._estimated_too_low(secret, username)

    def _estimated_too_low(self, secret: str, username: str) -> str | None:
        # Not at the top: most processes never judge a password, and would keep its dictionaries.
        from zxcvbn_rs_py import zxcvbn  # noqa: PLC0415 - for who sets a password only

        estimate = zxcvbn(secret[:_ESTIMATED_LENGTH], user_inputs=[username])
        score = int(estimate.score)
        if score >= self.min_score:
            return None
        warning = estimate.feedback and estimate.feedback.warning  # none where it scores 3
        return (
            f"This password is easy to guess{f': {warning}' if warning else '.'} It scores {score} of 4, and "
            f"{self.min_score} are asked for; add words that have nothing to do with one another."
        )


def _is_little_more_than(username: str, secret: str) -> bool:
    rest = _letters(secret)
    # The longest first: a name holds the part before its @.
    for name in (_letters(username), _letters(username.partition("@")[0])):
        for spelling in (name, name[::-1]):
            rest = rest.replace(spelling, "") if spelling else rest
    return len(rest) < _BESIDE_THE_NAME and rest != _letters(secret)


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())
