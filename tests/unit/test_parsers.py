"""Every parser of what comes from outside: a value or its own refusal, no other error, no second spelling.

Tokens have tests of their own: `test_strict_jwt.py`, `test_opaque_token.py`, `test_refresh_handle.py`.
"""

from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.rules import RULES_OF_BYTES, RULES_OF_TEXT

FUZZ = settings(deadline=None, max_examples=300)
# Text as it is sent by people and by others: names, marks, halves of characters, what case mapping changes.
TEXT = st.one_of(
    st.text(),
    st.text(st.characters(exclude_categories=())),
    st.text(
        "aA\u0130\u0131\u1e9eß\u017f\u03a3\u0345\u00e9e\u0301\u1100\u1161\u11a8\uac00 \t\0.@", max_size=30
    ),
    st.text("aé\u0301", min_size=1000, max_size=2100),
)
ENCODED = st.text("ab0%&=+;%2E8\xff\0é\r\n").map(lambda text: text.encode("latin-1"))
BASIC = st.one_of(
    st.binary(),
    st.binary().map(lambda raw: b"Basic " + b64encode(raw)),
    st.text("aé:%+ 20\0\n\x7f", max_size=20).map(lambda text: b"basic  " + b64encode(text.encode())),
)


@pytest.mark.parametrize("rule", RULES_OF_TEXT.values(), ids=RULES_OF_TEXT)
@FUZZ
@given(text=TEXT)
def test_text_of_any_kind_is_a_value_or_a_refusal(rule: Callable[[str], None], text: str) -> None:
    rule(text)


@pytest.mark.parametrize("rule", RULES_OF_BYTES.values(), ids=RULES_OF_BYTES)
@FUZZ
@given(raw=ENCODED | BASIC)
def test_bytes_of_any_kind_are_a_value_or_a_refusal(rule: Callable[[bytes], None], raw: bytes) -> None:
    rule(raw)
