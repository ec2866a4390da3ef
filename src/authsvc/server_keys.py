"""The server's secret keys (AUTHSVC_SECRET_KEYS): the first mints, all of them verify."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from authsvc.secret_tokens import same_secret

TAG_LENGTH = 8


@dataclass(frozen=True)
class ServerKey:
    """One secret key, seen only through the keys derived from it."""

    id: str
    mac_key: bytes
    tag_key: bytes
    encryption_key: bytes
    guess_key: bytes
    name_key: bytes

    def mac(self, *parts: bytes) -> bytes:
        """Return the 32-byte MAC of *parts*; they must be of fixed lengths."""
        return _finished(self._mac, b"".join(parts))

    def tag(self, body: bytes) -> bytes:
        """Return the short tag that lets a made-up token be refused without a query."""
        return _finished(self._tag, body)[:TAG_LENGTH]

    # To begin one anew with its key takes thrice as long as the rest of it, and a refresh needs five.
    @cached_property
    def _mac(self) -> HMAC:
        return HMAC(self.mac_key, SHA256())

    @cached_property
    def _tag(self) -> HMAC:
        return HMAC(self.tag_key, SHA256())

    def guess_mac(self, *parts: bytes) -> bytes:
        """Return 32 bytes that say where *parts*, of any lengths, are counted; nobody can aim at them."""
        told_apart = b"".join(len(part).to_bytes(4) + part for part in parts)
        return hmac.digest(self.guess_key, told_apart, "sha256")

    def name_tag(self, name: bytes) -> bytes:
        """Return eight bytes that nobody can foretell of a username, always the same."""
        return hmac.digest(self.name_key, name, "sha256")[:8]


def _finished(begun: HMAC, data: bytes) -> bytes:
    mac = begun.copy()
    mac.update(data)
    return mac.finalize()


def derive(secret: str) -> ServerKey:
    """Return the working keys of *secret*, one per purpose (RFC 5869)."""

    def key(purpose: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"authsvc " + purpose.encode()).derive(
            secret.encode()
        )

    return ServerKey(
        id=hashlib.sha256(key("key id")).hexdigest()[:8],
        mac_key=key("refresh token"),
        tag_key=key("token tag"),
        encryption_key=key("signing keys at rest"),
        guess_key=key("guess counters"),
        name_key=key("unknown usernames"),
    )


class ServerKeys:
    """All secret keys in force. Public as `current` (mints) and by id."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self.all = tuple(derive(secret) for secret in secrets)
        self.current = self.all[0]

    def find(self, key_id: str) -> ServerKey | None:
        """Return the key with this id, if it is still in force."""
        return next((key for key in self.all if key.id == key_id), None)

    def tagged(self, body: bytes) -> bytes:
        """Return *body* with the current key's tag at its end."""
        return body + self.current.tag(body)

    def untagged(self, data: bytes) -> bytes | None:
        """Return the body of *data* if one of the keys tagged it."""
        body, tag = data[:-TAG_LENGTH], data[-TAG_LENGTH:]
        return body if any(same_secret(key.tag(body), tag) for key in self.all) else None
