"""The shipped list of common passwords: on disk, asked by two short reads, never held in memory.

`common_passwords.bin` holds no password, only the first 40 bits of each one's SHA-256 (made by
`scripts/common_passwords.py`; licences in `LICENSE.common-passwords`): 65,537 offsets of four bytes, one for
each value of the first two bytes of a hash and one for the end, then in that order the next three bytes of
each. Of a million passwords that are not on the list, four are taken to be.
"""

import hashlib
import unicodedata
from pathlib import Path

_LIST = Path(__file__).with_name("common_passwords.bin")
_BUCKET_BYTES = 2
_REST_BYTES = 3
_OFFSET_BYTES = 4
_TABLE_BYTES = (2 ** (8 * _BUCKET_BYTES) + 1) * _OFFSET_BYTES


def is_common(password: str) -> bool:
    """Whether *password* is on the list, in small or capital letters. It blocks: not for the event loop."""
    digest = digest_of(password)
    rest = digest[_BUCKET_BYTES:]
    with _LIST.open("rb", buffering=0) as file:
        file.seek(int.from_bytes(digest[:_BUCKET_BYTES], "big") * _OFFSET_BYTES)
        bounds = file.read(2 * _OFFSET_BYTES)
        begin = int.from_bytes(bounds[:_OFFSET_BYTES], "big")
        end = int.from_bytes(bounds[_OFFSET_BYTES:], "big")
        file.seek(_TABLE_BYTES + begin * _REST_BYTES)
        listed = file.read((end - begin) * _REST_BYTES)
    return any(listed[at : at + _REST_BYTES] == rest for at in range(0, len(listed), _REST_BYTES))


def digest_of(password: str) -> bytes:
    """Return the 40 bits that *password* is listed under: of its NFC, in small letters."""
    folded = unicodedata.normalize("NFC", password.casefold()).encode()
    return hashlib.sha256(folded).digest()[: _BUCKET_BYTES + _REST_BYTES]
