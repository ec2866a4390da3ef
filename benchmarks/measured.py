"""One service under measurement, and the requests that are made to it."""

import base64
from dataclasses import dataclass
from functools import cached_property

import httpx

from benchmarks.loading import get, post
from benchmarks.minting import Minting
from tests.fixtures.process import ServerProcess

ACCOUNTS = tuple(f"user{number}@example.com" for number in range(100))
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
    def account_ids(self) -> list[str]:
        """The accounts, made when they are first needed."""
        return self.minting.add_accounts(list(ACCOUNTS), PASSWORD)

    def tokens(self, count: int, *, stored: bool = True) -> list[str]:
        """Return the access tokens of *count* new sessions, spread over the accounts."""
        return self.minting.tokens(self.account_ids, count, stored=stored)

    def log_in(self) -> dict[str, str]:
        """Log an account in over HTTP; return the answer."""
        assert self.account_ids
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
        assert self.account_ids
        return [post("/login", {"username": name, "password": PASSWORD}) for name in ACCOUNTS]

    def refresh(self, token: str) -> bytes:
        """Return the request that exchanges a refresh token."""
        return post("/refresh", {"refresh_token": token})
