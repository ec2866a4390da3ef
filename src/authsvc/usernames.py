"""Usernames: RFC 8265 UsernameCaseMapped decides which two are the same."""

import re
import unicodedata

import precis_i18n

from authsvc.errors import Unprocessable

MAX_LENGTH = 255

# Of these the profile changes nothing but their case (RFC 8264 §9.11), and takes long to say so.
_PLAIN = re.compile(r"[!-~]{1,255}")

_profile = precis_i18n.get_profile("UsernameCaseMapped")


def username_key(username: str) -> str | None:
    """Return the form that accounts are found and told apart by; None if nobody can have this name."""
    if _PLAIN.fullmatch(username):
        return username.lower()
    # Before normalising, which takes quadratic time to sort combining marks.
    if len(username) > 2 * MAX_LENGTH:
        return None
    shown = unicodedata.normalize("NFC", username)
    if not 1 <= len(shown) <= MAX_LENGTH:
        return None
    try:
        key = str(_profile.enforce(shown))
    except UnicodeEncodeError:
        return None
    return key if len(key) <= MAX_LENGTH else None


def acceptable_username(username: str) -> tuple[str, str]:
    """Return the name as shown (NFC) and its key.

    Raises:
        Unprocessable: nobody can have this name.
    """
    key = username_key(username)
    if key is None:
        raise Unprocessable(
            f"A username has 1 to {MAX_LENGTH} characters, without spaces and control characters (RFC 8265)."
        )
    return unicodedata.normalize("NFC", username), key
