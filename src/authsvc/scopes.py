"""Scopes: a set of scope tokens, written as one string with spaces (RFC 6749 §3.3)."""

import re
from functools import lru_cache

from authsvc.errors import InvalidScope

Scope = frozenset[str]

ACCOUNT = "account"
"""Lets a user's token manage the account itself: list and end sessions, change the password."""

INTROSPECT = "introspect"
"""Lets a client's token call introspection; granted only to clients with that permission."""

MOST_ASKED_FOR = 4096
"""The longest scope that a request may name, in characters: to take one apart costs the event loop time."""

_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*")


@lru_cache(maxsize=256)
def parse_scope(text: str) -> Scope:
    """Return the scope tokens of *text*, which was granted once; thousands of tokens have the same.

    Raises:
        InvalidScope: a token holds a character outside RFC 6749 §3.3.
    """
    return _parsed(text)


def _parsed(text: str) -> Scope:
    if text and not _SCOPE.fullmatch(text):
        raise InvalidScope("A scope is one or more names of printable ASCII separated by single spaces.")
    return frozenset(text.split(" ")) if text else frozenset()


def parse_request(text: str) -> Scope:
    """Return the scope tokens that a request names.

    Raises:
        InvalidScope: as `parse_scope`, or there is too much of it.
    """
    if len(text) > MOST_ASKED_FOR:
        raise InvalidScope(f"A scope is {MOST_ASKED_FOR} characters at most.")
    return _parsed(text)  # nothing is kept that anybody may send


def format_scope(scope: Scope) -> str:
    """Return *scope* as one string, in a fixed order."""
    return " ".join(sorted(scope))


def narrow(requested: Scope | None, *, default: Scope, allowed: Scope) -> Scope:
    """Return what to grant: *default* when nothing is asked for, else exactly *requested*.

    Raises:
        InvalidScope: *requested* holds something not in *allowed*. We refuse rather than drop it
            silently, so a client never holds less than it believes (RFC 6749 §3.3, §6).
    """
    if requested is None:
        return default
    if not requested <= allowed:
        raise InvalidScope("The scope asked for is more than may be granted here.")
    return requested
