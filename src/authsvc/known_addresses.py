"""The addresses that an account signed in from lately, as one short value in the account's own row.

It is read with the account and written with the sign-in, so it costs no trip; an account has 16 at most.
Each is a MAC, so a copy of the database does not tell where anybody has been.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from authsvc.networks import UNKNOWN, network_of
from authsvc.server_keys import ServerKeys

KNOWN_FOR = timedelta(days=30)
AT_MOST = 16
_AGAIN_AFTER = timedelta(days=1)
"""A later sign-in writes the account's row only if the last one it tells of is so old."""
_TAG = 8
_ENTRY = _TAG + 4  # and the second, which fits until 2106


@dataclass(frozen=True)
class KnownAddresses:
    """Reads and writes that value; None is the account that has signed in from nowhere."""

    server_keys: ServerKeys

    def include(self, known: bytes | None, account_id: UUID, address: str | None, now: datetime) -> bool:
        """Whether the account signed in from *address* during the last 30 days."""
        tags = self._tags(account_id, address)
        return any(tag in tags and now - seen < KNOWN_FOR for tag, seen in _entries(known))

    def seen(self, known: bytes | None, account_id: UUID, address: str | None, now: datetime) -> bytes | None:
        """Return the value that also tells of a sign-in at *now*; None if *known* tells it well enough."""
        tags = self._tags(account_id, address)
        entries = [(tag, seen) for tag, seen in _entries(known) if now - seen < KNOWN_FOR]
        if not tags or any(tag == tags[0] and now - seen < _AGAIN_AFTER for tag, seen in entries):
            return None
        others = [entry for entry in entries if entry[0] not in tags]
        newest_first = sorted([(tags[0], now), *others], key=lambda entry: entry[1], reverse=True)
        return b"".join(
            tag + int(seen.timestamp()).to_bytes(_ENTRY - _TAG) for tag, seen in newest_first[:AT_MOST]
        )

    def _tags(self, account_id: UUID, address: str | None) -> list[bytes]:
        # By every key in force, or the day on which the first is another would forget them all.
        network = network_of(address)
        if network == UNKNOWN:
            return []
        return [
            key.guess_mac(b"known address", account_id.bytes, network)[:_TAG] for key in self.server_keys.all
        ]


def _entries(known: bytes | None) -> Iterator[tuple[bytes, datetime]]:
    data = known or b""
    for at in range(0, len(data) - _ENTRY + 1, _ENTRY):
        entry = data[at : at + _ENTRY]
        yield entry[:_TAG], datetime.fromtimestamp(int.from_bytes(entry[_TAG:]), UTC)
