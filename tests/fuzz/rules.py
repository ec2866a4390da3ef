"""What holds of every parser, whatever it is given; a rule that is broken is an AssertionError.

The same rules serve the property tests (`tests/unit/test_parsers.py`) and the coverage-guided fuzzer.
"""

import unicodedata
from base64 import b64encode
from contextlib import suppress
from urllib.parse import quote_plus

from starlette.requests import Request

from authsvc.common_passwords import is_common
from authsvc.endpoints.client_authentication import client_credentials
from authsvc.endpoints.form import parse_form
from authsvc.endpoints.request_forms import ClientForm
from authsvc.errors import InvalidClient, InvalidRequest, InvalidScope, Unprocessable
from authsvc.passwords import is_storable, normalise
from authsvc.scopes import format_scope, parse_scope
from authsvc.server_keys import ServerKeys
from authsvc.tokens.refresh_handle import RefreshHandles
from authsvc.tokens.strict_jwt import has_jwt_shape
from authsvc.usernames import acceptable_username, username_key

HANDLES = RefreshHandles(ServerKeys(["a secret of the fuzzer and of nothing else"]))


def form(body: bytes) -> None:
    """A form is its parameters or one refusal; written again it says the same."""
    try:
        parameters = parse_form(body)
    except InvalidRequest:
        return
    again = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in parameters.items())
    assert parse_form(again.encode()) == parameters
    assert all(value and "\0" not in name + value for name, value in parameters.items())


def scope(text: str) -> None:
    """A scope is a set or one refusal; in its one order it is the same set."""
    try:
        parsed = parse_scope(text)
    except InvalidScope:
        return
    assert parse_scope(format_scope(parsed)) == parsed
    assert set(text.split()) == parsed


def username(text: str) -> None:
    """A name has one key, which is its own key; nobody's has none."""
    key = username_key(text)
    if key is None:
        with suppress(Unprocessable):
            acceptable_username(text)
            raise AssertionError("a name without a key was accepted")
        return
    assert username_key(key) == key
    assert acceptable_username(text)[1] == key
    assert " " not in key
    assert key.isprintable()


def password(text: str) -> None:
    """Any text has one form, and is storable or not; what is can be looked up."""
    secret = normalise(text)
    assert normalise(secret) == secret
    if is_storable(secret):
        assert is_common(secret) in {True, False}
        secret.encode()


def basic(header: bytes) -> None:
    """An Authorization header is some readings or one refusal; none of them has a control character."""
    request = Request({"type": "http", "headers": [(b"authorization", header)]})
    with suppress(InvalidClient, InvalidRequest):
        for client_id, secret in client_credentials(request, ClientForm()).readings:
            assert not any(unicodedata.category(character) == "Cc" for character in client_id + secret)
            # What is written as RFC 6749 §2.3.1 wants it is read back as it was.
            written = b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode())
            again = Request({"type": "http", "headers": [(b"authorization", b"Basic " + written)]})
            assert (client_id, secret) == client_credentials(again, ClientForm()).readings[0]


def refresh_token(text: str) -> None:
    """What opens is written in one way only, and nobody but us can write it."""
    assert HANDLES.open(text) is None


def jwt_shape(text: str) -> None:
    """What has the shape of a JWT has three parts of one alphabet, and is short."""
    if has_jwt_shape(text):
        assert text.isascii()
        assert text.count(".") == 2
        assert len(text) <= 8192


RULES_OF_TEXT = {
    "scope": scope,
    "username": username,
    "password": password,
    "refresh": refresh_token,
    "shape": jwt_shape,
}
RULES_OF_BYTES = {"form": form, "basic": basic}
