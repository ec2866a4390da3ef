"""Where randomness enters the service, and how secrets are stored and compared."""

import hashlib
import hmac
import secrets
import string
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from random import Random
from uuid import UUID

_ALPHANUMERIC = string.ascii_letters + string.digits
_CLIENT_SECRET_LENGTH = 43  # 62^43 > 2^256
# Seeded by the system, which is not asked again for each request.
_names = Random(secrets.token_bytes(32))  # noqa: S311 - what it makes need not be unguessable


def new_id() -> UUID:
    """Return a new identifier that sorts by its millisecond of birth (UUID version 7, RFC 9562 §5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(secrets.token_bytes(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def new_request_id() -> str:
    """Return a new name for a request, of the form of a trace id (W3C Trace Context §3.2.2.3); no secret."""
    return _names.getrandbits(128).to_bytes(16).hex()


def new_random_bytes(count: int) -> bytes:
    """Return *count* unguessable bytes."""
    return secrets.token_bytes(count)


def new_fraction() -> float:
    """Return a number from 0 up to 1, for pauses that must not keep step with each other."""
    return secrets.randbelow(1 << 32) / (1 << 32)


def new_client_secret() -> str:
    """Return a secret of 256 bits, letters and digits only.

    So its form-urlencoded and its raw spelling are the same bytes (RFC 6749 §2.3.1).
    """
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(_CLIENT_SECRET_LENGTH))


def new_client_id() -> str:
    """Return the identifier of a new client; not a secret."""
    return "c" + secrets.token_hex(10)


def fingerprint(secret: str) -> bytes:
    """Return the SHA-256 of a secret that we made ourselves: what is stored of it.

    A slow hash defends guesses; 2^256 candidates cannot be searched at any speed.
    """
    return hashlib.sha256(secret.encode()).digest()


def digest(data: bytes) -> bytes:
    """Return the SHA-256 of *data*, under which something is remembered that must not be kept itself."""
    return hashlib.sha256(data).digest()


def same_secret(one: bytes, other: bytes) -> bool:
    """Compare in a time that does not depend on where they differ."""
    return hmac.compare_digest(one, other)


def encode_base64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes | None:
    """Return the bytes that *text* is the one canonical spelling of, else None."""
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        return None
    return data if encode_base64url(data) == text else None
