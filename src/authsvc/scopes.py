"""Scopes: a set of scope tokens, written as one string with spaces (RFC 6749 §3.3)."""

import re

from authsvc.errors import InvalidScope

Scope = frozenset[str]

ACCOUNT = "account"
"""Lets a user's token manage the account itself: list and end sessions, change the password."""

INTROSPECT = "introspect"
"""Lets a client's token call introspection; granted only to clients with that permission."""

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


def parse_scope(text: str) -> Scope:
    """Return the scope tokens of *text*.

    Raises:
        InvalidScope: a token holds a character outside RFC 6749 §3.3.
    """
    tokens = text.split(" ")
    if text and not all(_SCOPE_TOKEN.fullmatch(token) for token in tokens):
        raise InvalidScope("A scope is one or more names of printable ASCII separated by single spaces.")
    return frozenset(tokens) if text else frozenset()


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
