"""Read who the client says it is: by Basic, by form, or not at all (RFC 6749 §2.3.1)."""

import binascii
import re
import unicodedata
from base64 import b64decode
from urllib.parse import unquote_to_bytes

from fastapi import Request

from authsvc.clients import ClientCredentials
from authsvc.endpoints.request_forms import ClientForm
from authsvc.errors import InvalidClient, InvalidRequest

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def client_credentials(request: Request, form: ClientForm) -> ClientCredentials:
    """Return what *request* says of its client.

    Raises:
        InvalidRequest: two ways of authenticating at once, or a secret without a name.
        InvalidClient: the Basic credentials cannot be read.
    """
    basic = _basic_readings(request)
    if basic and form.client_secret:
        raise InvalidRequest("Authenticate the client one way: by Basic or in the form.")
    if basic:
        if form.client_id and all(form.client_id != client_id for client_id, _ in basic):
            raise InvalidRequest("client_id names another client than the Basic credentials.")
        return ClientCredentials(basic, by_basic=True)
    if form.client_secret and not form.client_id:
        raise InvalidRequest("client_secret without client_id.")
    return ClientCredentials([(form.client_id, form.client_secret)] if form.client_id else [])


def _basic_readings(request: Request) -> list[tuple[str, str]]:
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise InvalidRequest("More than one Authorization header.")
    scheme, _, encoded = (headers[0] if headers else "").partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        raw = _text(b64decode(encoded.strip(" "), validate=True))
    except (binascii.Error, ValueError):
        raise InvalidClient("The Basic credentials are not base64.") from None
    client_id, colon, secret = raw.partition(":")
    if not colon:
        raise InvalidClient("The Basic credentials hold no colon.")
    # Swagger UI with no client filled in sends ":"; a value that is empty was not sent.
    if not client_id and not secret:
        return []
    readings = [_urldecoded(client_id, secret), (client_id, secret)]
    usable = [pair for pair in readings if pair is not None and not _has_controls("".join(pair))]
    if not usable:
        raise InvalidClient("The Basic credentials hold control characters.")
    return list(dict.fromkeys(usable))


def _urldecoded(client_id: str, secret: str) -> tuple[str, str] | None:
    if _BAD_ESCAPE.search(client_id + secret):
        return None
    try:
        decoded = [unquote_to_bytes(part.replace("+", " ")).decode("utf-8") for part in (client_id, secret)]
    except UnicodeDecodeError:
        return None
    return decoded[0], decoded[1]


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(char) == "Cc" for char in text)
