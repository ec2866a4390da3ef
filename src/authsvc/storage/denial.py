"""What stands in the denylist: names that refuse the tokens which bear them.

A denial names an id, never a token's text: one JWT has more than one accepted spelling.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

SAFETY = timedelta(seconds=60)
"""How much longer than the last token it denies a denial lives."""

LONGEST_LIFE = timedelta(hours=25)
"""Longer than any access token lives, whatever the settings once were."""

DENIED = b"1"
"""What stands under the name of a token, a session or a key that is denied."""

Kind = Literal["jti", "sid", "kid", "client"]

_OF_CLIENT = re.compile(rb"[0-9]{1,10} (enabled|disabled)")


@dataclass(frozen=True)
class Denial:
    """One entry of the denylist, for as long as a token it concerns may live."""

    kind: Kind
    name: str
    until: datetime
    version: int | None = None
    is_lifted: bool = False

    @property
    def key(self) -> str:
        """The entry's key, within the namespace."""
        return f"{self.kind}:{self.name}"

    @classmethod
    def of_token(cls, jti: str, *, until: datetime) -> "Denial":
        """One access token."""
        return cls("jti", jti, until)

    @classmethod
    def of_session(cls, session_id: UUID, *, until: datetime) -> "Denial":
        """Every access token of a session."""
        return cls("sid", str(session_id), until)

    @classmethod
    def of_key(cls, kid: str, *, until: datetime) -> "Denial":
        """Every access token that a withdrawn key signed."""
        return cls("kid", kid, until)

    @classmethod
    def of_client(cls, client_id: str, *, version: int, is_disabled: bool, until: datetime) -> "Denial":
        """What a client is now: disabled, and so are its tokens, or not; and which copies of it are old."""
        return cls("client", client_id, until, version, not is_disabled)


def is_entry(key: str, value: bytes) -> bool:
    """Whether *value* is what we write under *key*, and not what another application left there."""
    return bool(_OF_CLIENT.fullmatch(value)) if key.startswith("client:") else value == DENIED


@dataclass(frozen=True)
class ClientEntry:
    """What the denylist says of a client that changed lately."""

    version: int
    is_disabled: bool

    @classmethod
    def read(cls, value: bytes) -> "ClientEntry":
        """Read what `Denial.of_client` became."""
        version, _, state = value.partition(b" ")
        return cls(int(version), state == b"disabled")
