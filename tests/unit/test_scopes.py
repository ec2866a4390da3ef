"""Scopes: parsed, written, narrowed (RFC 6749 §3.3)."""

import pytest

from authsvc.errors import InvalidScope
from authsvc.scopes import format_scope, narrow, parse_request, parse_scope

ALL = frozenset({"account", "read", "write"})
DEFAULT = frozenset({"account"})


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("", set()),
        ("read", {"read"}),
        ("write read", {"read", "write"}),
        ("read read", {"read"}),
        ("!#[]~", {"!#[]~"}),
        ("https://api.example.com/read:all", {"https://api.example.com/read:all"}),
    ],
)
def test_a_scope_is_a_set_of_tokens_parted_by_single_blanks(text: str, scope: set[str]) -> None:
    assert parse_scope(text) == scope


@pytest.mark.parametrize(
    "text",
    [" ", " read", "read ", "read  write", "read\twrite", "read\n", 'a"b', "a\\b", "é", "读", "a\0b", "\x7f"],
)
def test_anything_else_is_malformed(text: str) -> None:
    with pytest.raises(InvalidScope):
        parse_scope(text)


def test_a_request_names_no_more_than_4096_characters() -> None:
    assert parse_request("a " * 2047 + "bc") == {"a", "bc"}
    with pytest.raises(InvalidScope, match="4096"):
        parse_request("a " * 2047 + "bcd")


def test_a_scope_is_written_in_one_order() -> None:
    assert format_scope(frozenset({"write", "account", "read"})) == "account read write"
    assert format_scope(frozenset()) == ""


def test_none_asked_is_the_default() -> None:
    assert narrow(None, default=DEFAULT, allowed=ALL) == DEFAULT


@pytest.mark.parametrize("requested", [frozenset({"read"}), ALL, frozenset()])
def test_what_is_allowed_is_granted_exactly(requested: frozenset[str]) -> None:
    assert narrow(requested, default=DEFAULT, allowed=ALL) == requested


@pytest.mark.parametrize("requested", [{"admin"}, {"read", "admin"}, {"READ"}])
def test_more_than_is_allowed_is_refused_not_dropped(requested: set[str]) -> None:
    with pytest.raises(InvalidScope):
        narrow(frozenset(requested), default=DEFAULT, allowed=ALL)
