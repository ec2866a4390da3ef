"""The one parser of forms (RFC 6749 §3.2, Appendix B)."""

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsvc.endpoints.form import MAX_PARAMETERS, parse_form
from authsvc.errors import InvalidRequest


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        (b"", {}),
        (b"a=b", {"a": "b"}),
        (b"a=b&c=d", {"a": "b", "c": "d"}),
        (b"a=b&", {"a": "b"}),
        (b"&&a=b&&", {"a": "b"}),
        (b"a=b=c", {"a": "b=c"}),
        (b"a=1+2%2B3", {"a": "1 2+3"}),
        (b"a=%E5%BC%A0", {"a": "张"}),
        ("a=张".encode(), {"a": "张"}),
        (b"a%62=c", {"ab": "c"}),
        (b"a=b;c=d", {"a": "b;c=d"}),
        (b"a=%26%3D%25", {"a": "&=%"}),
        (b"a=%e5%bc%a0", {"a": "张"}),
        (b"=b", {"": "b"}),
        (b"a=\r\n", {"a": "\r\n"}),
    ],
)
def test_parameters_are_decoded_once(body: bytes, parameters: dict[str, str]) -> None:
    assert parse_form(body) == parameters


@pytest.mark.parametrize("body", [b"a=", b"a", b"a=&b=", b"=", b"&"])
def test_a_parameter_without_a_value_counts_as_not_sent(body: bytes) -> None:
    assert parse_form(body) == {}


@pytest.mark.parametrize(
    "body", [b"a=b&a=b", b"a=b&a=", b"a=&a=", b"a&a", b"a=b&%61=c", b"=x&=y", b"a+b=1&a%20b=2"]
)
def test_a_parameter_sent_twice_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^A parameter was sent twice\.$"):
        parse_form(body)


@pytest.mark.parametrize("body", [b"a=%", b"a=%1", b"a=%zz", b"%=a", b"a=%u0041", b"a=%%41", b"a=%-1"])
def test_a_broken_escape_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="percent-escape"):
        parse_form(body)


@pytest.mark.parametrize("body", [b"a=\xff", b"a=%FF", b"a=%ED%A0%80", b"a=%C0%80", b"%80=a", b"a=%E5%BC"])
def test_bad_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^The form is not UTF-8\.$"):
        parse_form(body)


@pytest.mark.parametrize("body", [b"a=\0", b"a=%00", b"%00=a", b"a=b%00c"])
def test_nul_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="NUL"):
        parse_form(body)


def test_the_number_of_parameters_is_limited() -> None:
    most = b"&".join(b"p%d=1" % number for number in range(MAX_PARAMETERS))

    assert len(parse_form(most)) == MAX_PARAMETERS
    with pytest.raises(InvalidRequest, match="More than 100"):
        parse_form(most + b"&one=more")


@given(
    st.lists(
        st.sampled_from(
            [b"%3D", b"%", b"=", b"_", b"\r\n", b"\n", b"\r", b"41", b"a ", b"%0a", b"%C3%A9", b"\t"]
        )
    )
)
def test_escapes_are_resolved_as_the_standard_library_does(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    is_broken = re.search(rb"%(?![0-9A-Fa-f]{2})", raw) is not None
    if is_broken:
        with pytest.raises(InvalidRequest, match="percent-escape"):
            parse_form(b"a=" + raw)
        return

    assert parse_form(b"a=" + raw).get("a") == (unquote_to_bytes(raw).decode() or None)


def test_a_thousand_separators_with_nothing_between_them_are_read_and_one_more_is_refused() -> None:
    assert parse_form(b"a=b" + b"&" * 1_000) == {"a": "b"}
    with pytest.raises(InvalidRequest, match="More than 100"):
        parse_form(b"a=b" + b"&" * 1_001)
