"""One service under measurement, and the requests that are made to it."""

import base64
from dataclasses import dataclass
from functools import cached_property

import httpx

from benchmarks.loading import get, post
from benchmarks.minting import Minting
from tests.fixtures.process import ServerProcess

ACCOUNTS = tuple(f"user{number}@example.com" for number in range(100))
"""Who logs in."""

_CROWD = tuple(f"crowd{number}@example.com" for number in range(200))
"""Whose tokens are minted, so that no login ends the oldest session of an account that has too many."""

PASSWORD = "correct horse battery staple"
CALLER_SECRET = "x" * 43
ACTIVE, INACTIVE = '"active":true', '{"active":false}'


@dataclass(frozen=True)
class Measured:
    """A service with its settings, who mints for it, and a client that may introspect every token."""

    settings: dict[str, str]
    server: ServerProcess
    minting: Minting
    caller_id: str

    @property
    def caller(self) -> httpx.BasicAuth:
        """Its credentials."""
        return httpx.BasicAuth(self.caller_id, CALLER_SECRET)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    @property
    def pid(self) -> int:
        """Its process."""
        return self.server.pid

    @cached_property
    def _crowd(self) -> list[str]:
        return self.minting.add_accounts(list(_CROWD), PASSWORD)

    @cached_property
    def _accounts(self) -> list[str]:
        return self.minting.add_accounts(list(ACCOUNTS), PASSWORD)

    def tokens(self, count: int, *, per_session: int = 1) -> list[str]:
        """Return *count* access tokens of new sessions, spread over accounts that never log in.

        Those of one session stand far apart, so that checks of neighbours share nothing. JWTs have their
        rows too: where Redis is slow for a moment, the service asks Postgres.
        """
        made = self.minting.tokens(self._crowd, count, per_session=per_session)
        return [token for first in range(per_session) for token in made[first::per_session]]

    def log_in(self) -> dict[str, str]:
        """Log an account in over HTTP; return the answer."""
        assert self._accounts
        form = {"username": ACCOUNTS[0], "password": PASSWORD}
        answer = self.server.http.post("/login", data=form, timeout=30).raise_for_status()
        return dict(answer.json())

    def introspect(self, token: str) -> httpx.Response:
        """Ask once about a token."""
        return self.server.http.post("/introspect", data={"token": token}, auth=self.caller)

    def introspection(self, token: str) -> bytes:
        """Return the request that asks about a token, the caller by Basic."""
        basic = base64.b64encode(f"{self.caller_id}:{CALLER_SECRET}".encode()).decode()
        return post("/introspect", {"token": token}, f"Authorization: Basic {basic}")

    def verification(self, token: str) -> bytes:
        """Return the request that a proxy makes."""
        return get("/verify", f"Authorization: Bearer {token}")

    def logins(self) -> list[bytes]:
        """Return a login of each account."""
        assert self._accounts
        return [post("/login", {"username": name, "password": PASSWORD}) for name in ACCOUNTS]

    def refresh(self, token: str) -> bytes:
        """Return the request that exchanges a refresh token."""
        return post("/refresh", {"refresh_token": token})
