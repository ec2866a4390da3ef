"""Usernames: RFC 8265 UsernameCaseMapped, 1 to 255 code points."""

import precis_i18n
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsvc.errors import Unprocessable
from authsvc.usernames import acceptable_username, username_key


@pytest.mark.parametrize(
    ("username", "key"),
    [
        ("ada", "ada"),
        ("Ada@Example.COM", "ada@example.com"),
        ("ＡＤＡ", "ada"),  # noqa: RUF001 - wide letters are the case
        ("zoe\u0308", "zo\u00eb"),
        ("Straße", "straße"),
        ("张伟", "张伟"),
        ("100%", "100%"),
        ("e\u0301" * 255, "\u00e9" * 255),
    ],
)
def test_a_username_is_known_by_its_case_mapped_form(username: str, key: str) -> None:
    assert username_key(username) == key
    assert username_key(key) == key


@given(st.text(st.characters(max_codepoint=0x7F), max_size=300))
def test_a_name_in_ascii_is_known_by_what_the_profile_makes_of_it(username: str) -> None:
    """Though it is not asked about one of plain characters."""
    try:
        made = precis_i18n.get_profile("UsernameCaseMapped").enforce(username)
    except UnicodeEncodeError:
        made = None

    assert username_key(username) == (made if made is None or len(made) <= 255 else None)


@pytest.mark.parametrize(
    "username",
    [
        "",
        " ",
        "a b",
        "a\u00a0b",
        "a\nb",
        "\x00",
        "\x7f",
        "a\u200bb",
        "\ud800",
        "\ue000",
        "ﬁ",
        "א1a",
        "x" * 256,
    ],
)
def test_nobody_can_have_this_name(username: str) -> None:
    assert username_key(username) is None
    with pytest.raises(Unprocessable):
        acceptable_username(username)


def test_a_username_is_shown_as_it_was_chosen_in_nfc() -> None:
    assert acceptable_username("Zoe\u0308") == ("Zo\u00eb", "zo\u00eb")
