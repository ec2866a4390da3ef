"""Bad input at every endpoint that reads a form: refused, nothing changed, nothing echoed."""

from collections.abc import AsyncIterator
from urllib.parse import quote_plus

import pytest

from tests.fixtures.forms import FORM_TYPE, PATHS, REQUIRED, Filled, encoded, fill
from tests.fixtures.service import Service

LIMIT = 64 * 1024
MARK = "an-input-of-somebody"


@pytest.fixture(params=PATHS)
async def filled(service: Service, request: pytest.FixtureRequest) -> Filled:
    return await fill(service, request.param)


async def test_a_whole_form_is_accepted(filled: Filled) -> None:
    assert (await filled.send(filled.body)).status_code in {200, 204}


@pytest.mark.demand("O-09")
async def test_a_parameter_sent_twice_is_refused_whatever_it_holds(filled: Filled) -> None:
    before = await filled.service.rows()
    for name, value in filled.form.items():
        spelt_otherwise = f"%{ord(name[0]):02x}{name[1:]}".encode()
        for twice in (
            encoded({name: value}),
            encoded({name: "another"}),
            name.encode(),
            spelt_otherwise + b"=x",
        ):
            filled.assert_refused(await filled.send(filled.body + b"&" + twice), 400, f"{name} twice")
    assert await filled.service.rows() == before


async def test_an_unknown_parameter_sent_twice_is_refused_too(filled: Filled) -> None:
    filled.assert_refused(await filled.send(filled.body + b"&x=1&x=1"), 400)


@pytest.mark.demand("O-10")
async def test_unknown_parameters_are_ignored(filled: Filled) -> None:
    extra = encoded({"allow_redirects": "True", "resource": "x", "": "nameless", "名": "前", "audience": "y"})

    assert (await filled.send(filled.body + b"&" + extra)).status_code in {200, 204}


@pytest.mark.demand("O-11")
async def test_a_required_parameter_without_a_value_counts_as_missing(filled: Filled) -> None:
    before = await filled.service.rows()
    for name in REQUIRED[filled.path]:
        without = {key: value for key, value in filled.form.items() if key != name}
        for body in (
            encoded(without),
            encoded(without | {name: ""}),
            encoded(without) + b"&" + name.encode(),
        ):
            response = await filled.send(body)
            filled.assert_refused(response, 400, f"without {name}")
            assert name in response.text
    assert await filled.service.rows() == before


@pytest.mark.demand("O-11")
async def test_an_optional_parameter_without_a_value_counts_as_not_sent(filled: Filled) -> None:
    optional = {"grant_type", "scope", "token_type_hint"} - set(REQUIRED[filled.path])
    form = {name: "" if name in optional else value for name, value in filled.form.items()}

    assert (await filled.send(encoded(form))).status_code in {200, 204}


async def test_a_semicolon_parts_nothing(filled: Filled) -> None:
    response = await filled.send(filled.body.replace(b"&", b";"))

    # All of it is the first parameter's value.
    assert response.status_code in {400, 401}


@pytest.mark.demand("O-23", "A-28")
async def test_parameters_in_the_url_do_not_count(filled: Filled) -> None:
    before = await filled.service.rows()
    url = f"{filled.path}?{filled.body.decode()}"

    response = await filled.send(b"", url=url)

    nobody_named = filled.path in {"/logout", "/introspect", "/revoke"}
    assert response.status_code == (401 if nobody_named else 400)
    assert await filled.service.rows() == before


@pytest.mark.demand("O-23", "A-28")
async def test_parameters_in_the_url_change_nothing_about_those_in_the_body(filled: Filled) -> None:
    spoilt = encoded(dict.fromkeys(filled.form, MARK))

    response = await filled.send(filled.body, url=f"{filled.path}?{spoilt.decode()}")

    assert response.status_code in {200, 204}


NO_FORM = (
    None,
    "",
    "application/json",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded; charset=iso-8859-1",
    "application/x-www-form-urlencoded; boundary=utf-8",
    "application/x-www-form-urlencodedx",
    "text/application/x-www-form-urlencoded",
    "multipart/form-data, application/x-www-form-urlencoded",
)


@pytest.mark.demand("O-24")
async def test_only_a_form_carries_parameters(filled: Filled) -> None:
    before = await filled.service.rows()
    for content_type in NO_FORM:
        response = await filled.send(filled.body, content_type)
        filled.assert_refused(response, 415, str(content_type))
    assert await filled.service.rows() == before


@pytest.mark.demand("O-24")
async def test_json_is_refused_everywhere(filled: Filled) -> None:
    before = await filled.service.rows()

    response = await filled.service.http.post(filled.path, json=filled.form, headers=filled.headers)

    filled.assert_refused(response, 415)
    assert await filled.service.rows() == before


@pytest.mark.demand("O-24")
async def test_the_charset_of_a_form_may_be_named(service: Service) -> None:
    filled = await fill(service, "/login")
    for content_type in (
        FORM_TYPE,
        f"{FORM_TYPE};charset=UTF-8",
        f'{FORM_TYPE} ; Charset="utf-8"',
        "Application/X-WWW-Form-URLEncoded; charset=utf8",
        f"{FORM_TYPE};",
    ):
        assert (await filled.send(filled.body, content_type)).status_code == 200, content_type


BROKEN = {
    "NUL": b"a%00b",
    "raw NUL": b"a\x00b",
    "lone surrogate": b"%ED%A0%80",
    "pair of surrogates": b"%ED%A0%BD%ED%B8%80",
    "raw bad UTF-8": b"\xff\xfe",
    "bad UTF-8": b"%FF",
    "cut UTF-8": b"%E5%BC",
    "overlong UTF-8": b"%C0%AF",
    "beyond Unicode": b"%F4%90%80%80",
    "no hex": b"%zz",
    "half an escape": b"%4",
    "bare percent": b"100%",
    "escape with a sign": b"%+1",
}


@pytest.mark.demand("A-11")
async def test_what_is_no_text_is_refused_in_every_field(filled: Filled) -> None:
    before = await filled.service.rows()
    for what, raw in BROKEN.items():
        for name in (*filled.form, "unknown"):
            filled.assert_refused(await filled.send(filled.with_value(name, raw)), 400, f"{name}: {what}")
        filled.assert_refused(await filled.send(filled.body + b"&" + raw + b"=1"), 400, f"a name: {what}")
    assert await filled.service.rows() == before


@pytest.mark.demand("O-12", "A-12")
async def test_a_megabyte_in_any_field_is_413(filled: Filled) -> None:
    before = await filled.service.rows()
    for name in (*filled.form, "unknown"):
        response = await filled.send(filled.with_value(name, b"a" * 1_000_000))
        filled.assert_refused(response, 413, name)
    assert await filled.service.rows() == before


async def test_a_body_that_says_it_is_too_long_is_not_read(filled: Filled) -> None:
    read = 0

    async def long() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 10 * LIMIT:
            read += 4096
            yield b"a" * 4096

    headers = filled.headers | {"Content-Type": FORM_TYPE, "Content-Length": str(10 * LIMIT)}
    response = await filled.service.http.post(filled.path, content=long(), headers=headers)

    filled.assert_refused(response, 413)
    assert read == 0


@pytest.mark.demand("O-12")
async def test_a_long_body_is_413_before_all_of_it_is_read(filled: Filled) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 10 * LIMIT:
            read += 4096
            yield b"a" * 4096

    response = await filled.send(endless())

    filled.assert_refused(response, 413)
    assert read <= LIMIT + 4096


async def test_a_body_of_exactly_the_limit_is_read_and_one_more_byte_is_not(filled: Filled) -> None:
    padding = LIMIT - len(filled.body) - len("&x=")

    fits = await filled.send(filled.body + b"&x=" + b"a" * padding)
    other = await fill_again(filled)
    too_long = await other.send(other.body + b"&x=" + b"a" * (LIMIT - len(other.body) - len("&x=") + 1))

    assert fits.status_code in {200, 204}
    other.assert_refused(too_long, 413)


def quoted(value: str) -> bytes:
    return quote_plus(value).encode()


async def fill_again(filled: Filled) -> Filled:
    await filled.service.stack.empty()
    return await fill(filled.service, filled.path)


async def test_a_hundred_parameters_are_read_and_one_more_is_refused(filled: Filled) -> None:
    many = b"".join(b"&x%d=1" % number for number in range(100 - len(filled.form)))

    refused = await filled.send(filled.body + many + b"&one=more")
    accepted = await filled.send(filled.body + many)

    filled.assert_refused(refused, 400)
    assert accepted.status_code in {200, 204}


@pytest.mark.demand("A-09")
async def test_ten_thousand_parameters_are_refused(filled: Filled) -> None:
    filled.assert_refused(await filled.send(filled.body + b"&a=" * 10_000), 400)


ODD = {
    "Chinese": "张伟",
    "percent": "100%25%s%n",
    "newlines": "a\r\nX-Injected: yes\r\n\r\n",
    "control characters": "\x01\x08\x1b[31m\x7f\x85",
    "quotes": "\"'`\\",
    "markup": "<script>alert(1)</script>",
    "SQL": "x'; DROP TABLE account; --",
    "right to left": "\u202egnp.exe",
    "no character": "\uffff\U0010ffff",
    "emoji": "👩‍👩‍👧‍👦" * 50,
    "combining": "a" + "\u0301" * 500,
    "blanks": "  ",
    "60,000 characters": "a" * 60_000,
    "a path": "../../etc/passwd",
    "JSON": '{"$ne": null}',
}
# A hint is ignored where it is odd (RFC 7009 §2.1), and a new password may be nearly anything.
NEVER_REFUSED = {"token_type_hint", "new_password"}
# These answer the same to a token that is none.
SAYS_NOTHING = {("/introspect", "token"), ("/revoke", "token")}


@pytest.mark.demand("O-17")
async def test_odd_text_in_any_field_is_a_clean_refusal(filled: Filled) -> None:
    before = await filled.service.rows()
    for name in filled.form.keys() - NEVER_REFUSED:
        if (filled.path, name) in SAYS_NOTHING:
            continue
        for what, value in ODD.items():
            response = await filled.send(filled.with_value(name, quoted(value)))

            where = f"{what} as {name} of {filled.path}: {response.status_code} {response.text}"
            assert response.status_code in {400, 401, 403}, where
            assert value not in response.text, where
            assert "x-injected" not in response.headers, where
            # Escapes in the JSON hide nothing: what they stand for is looked at.
            texts = [text for text in response.json().values() if isinstance(text, str)]
            assert all(0x20 <= ord(char) <= 0x7E and char not in '"\\' for char in "".join(texts)), where
    assert await filled.service.rows() == before


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
async def test_an_odd_hint_is_ignored(service: Service, path: str) -> None:
    filled = await fill(service, path)
    for value in ODD.values():
        response = await filled.send(filled.with_value("token_type_hint", quoted(value)))
        assert response.status_code == 200, response.text


@pytest.mark.parametrize(("path", "answer"), [("/introspect", {"active": False}), ("/revoke", {})])
async def test_an_odd_token_is_no_token(service: Service, path: str, answer: dict[str, bool]) -> None:
    filled = await fill(service, path)
    before = await service.rows()
    for value in ODD.values():
        response = await filled.send(filled.with_value("token", quoted(value)))
        assert (response.status_code, response.json()) == (200, answer), value[:40]
    assert await service.rows() == before


async def test_nothing_that_was_sent_comes_back_in_an_error(filled: Filled) -> None:
    for name in filled.form:
        for response in (
            await filled.send(filled.with_value(name, MARK.encode()) + b"&x=1&x=1"),
            await filled.send(filled.with_value(name, MARK.encode()), "text/plain"),
            await filled.send(filled.with_value(name, MARK.encode() + b"%ff")),
            await filled.send(encoded({name: MARK})),
        ):
            assert MARK not in response.text, f"{name} of {filled.path}"
            assert MARK not in str(response.headers), f"{name} of {filled.path}"
