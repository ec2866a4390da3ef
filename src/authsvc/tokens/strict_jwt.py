"""The one door to python-jose: compact JWS of our own keys, and nothing else (RFC 7515, RFC 8725).

python-jose ignores `crit`, `kid` and `typ`, takes more than one spelling of base64, and lets
errors of many kinds out; so everything about the text is checked here, and it only judges
signatures. Times and liveness are judged elsewhere: they change, a signature does not.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from jose.exceptions import JOSEError

from authsvc.secret_tokens import decode_base64url, encode_base64url
from authsvc.tokens.keys import KeyRing, SigningKey

MAX_LENGTH = 8192
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_ACCEPTED_TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})
_HEADER_MEMBERS = frozenset({"alg", "kid", "typ"})

Claims = Mapping[str, object]


def has_jwt_shape(token: str) -> bool:
    """Whether *token* is written like a compact JWS and is short enough to be ours."""
    return len(token) <= MAX_LENGTH and _SHAPE.fullmatch(token) is not None


def sign(key: SigningKey, claims: Claims, *, typ: str) -> str:
    """Return *claims* as a compact JWS with the header members `alg`, `typ` and `kid`."""
    if key.private is None:
        raise ValueError(f"key {key.kid} has no private part here")
    signed = f"{_header_segment(key.algorithm, typ, key.kid)}.{_json_segment(claims)}"
    return f"{signed}.{encode_base64url(key.private.sign(signed.encode()))}"


@lru_cache(maxsize=64)  # all tokens of a key have the same
def _header_segment(algorithm: str, typ: str, kid: str) -> str:
    return _json_segment({"alg": algorithm, "typ": typ, "kid": kid})


def _json_segment(members: Claims) -> str:
    return encode_base64url(_to_json(members).encode())


class UnknownKey(Exception):
    """A text names a key that is not known here, and may be known to the database."""

    def __init__(self, kid: str) -> None:
        super().__init__(kid)
        self.kid = kid


async def read_claims(token: str, keys: KeyRing) -> tuple[str, Claims] | None:
    """Return the key id and the claims of *token* if one of our keys signed this very text.

    Raises:
        Unavailable: the key is unknown here and the database cannot be asked for it.
    """
    try:
        return claims_of(token, keys)
    except UnknownKey as unknown:
        key = await keys.find(unknown.kid)
        return None if key is None else claims_of(token, keys)


def claims_of(token: str, keys: KeyRing) -> tuple[str, Claims] | None:
    """Return the same by the keys that are known here.

    Raises:
        UnknownKey: none of them is the one that *token* names.
    """
    if not has_jwt_shape(token):
        return None
    header_text, payload_text, signature_text = token.split(".")
    header = _header(header_text)
    # The signature's spelling too: base64 that ends in other unused bits decodes to the same bytes.
    signature = decode_base64url(signature_text)
    if header is None or signature is None:
        return None
    key = keys.get(str(header["kid"]))
    if key is None:
        raise UnknownKey(str(header["kid"]))
    # The key decides the algorithm, never the token (RFC 8725 §3.1).
    if header["alg"] != key.algorithm:
        return None
    if not _is_signed(f"{header_text}.{payload_text}".encode(), signature, key):
        return None
    claims = _members(payload_text)
    return None if claims is None else (key.kid, claims)


def kid_of(token: str) -> str | None:
    """Return the key id that a text of JWT's shape names; None where no key could make it a token of ours."""
    header = _header(token.partition(".")[0]) if has_jwt_shape(token) else None
    return None if header is None else str(header["kid"])


def _is_signed(text: bytes, signature: bytes, key: SigningKey) -> bool:
    try:
        return bool(key.public.verify(text, signature))
    except (JOSEError, ValueError, TypeError):
        return False


@lru_cache(maxsize=64)  # all tokens of a key have the same
def _header(segment: str) -> Claims | None:
    header = _members(segment)
    return header if header is not None and _acceptable(header) else None


def _acceptable(header: Claims) -> bool:
    typ = header.get("typ")
    return (
        header.keys() == _HEADER_MEMBERS
        and all(isinstance(value, str) for value in header.values())
        and isinstance(typ, str)
        and typ.lower() in _ACCEPTED_TYPES
    )


def _members(segment: str) -> Claims | None:
    data = decode_base64url(segment)
    if data is None:
        return None
    try:
        members = _json.decode(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) and all(map(_is_plain, members.values())) else None


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        # No store takes a NUL, and half of a surrogate pair is no character.
        return "\0" not in value and (value.isascii() or value == value.encode(errors="ignore").decode())
    # What we sign is flat; how deep a parser gets differs between versions of Python.
    return not isinstance(value, dict | list)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


_to_json = json.JSONEncoder(separators=(",", ":")).encode  # `dumps` would make an encoder for each text
_json = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
