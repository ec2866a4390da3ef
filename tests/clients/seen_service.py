"""A running authsvc seen without any client under test: where it is, whom it knows, what it says of a token.

Nothing of authsvc is imported: not every client runs where it is installed.
"""

import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx

Json = dict[str, Any]
DEAD = {"active": False}


@dataclass(frozen=True)
class DemoClient:
    """One of the clients that `authsvc dev` makes, and the way it authenticates."""

    client_id: str
    secret: str | None
    method: str


@dataclass(frozen=True)
class SeenService:
    """The authsvc under test, as the environment describes it."""

    url: str = field(default_factory=lambda: os.environ["AUTHSVC_URL"])
    username: str = field(default_factory=lambda: os.environ["DEMO_USERNAME"])
    password: str = field(default_factory=lambda: os.environ["DEMO_PASSWORD"])

    def client(self, method: str) -> DemoClient:
        """Return the client without a secret for `none`, else the one that may introspect."""
        if method == "none":
            return DemoClient(os.environ["DEMO_PUBLIC_CLIENT_ID"], None, method)
        secret = os.environ["DEMO_INTROSPECTING_CLIENT_SECRET"]
        return DemoClient(os.environ["DEMO_INTROSPECTING_CLIENT_ID"], secret, method)

    @cached_property
    def metadata(self) -> Json:
        """The document of RFC 8414."""
        found = httpx.get(f"{self.url}/.well-known/oauth-authorization-server").raise_for_status().json()
        assert found["issuer"] == self.url
        return dict(found)

    def sign_in(self, method: str = "none") -> Json:
        """Exchange the demo account's password for tokens."""
        return self._ask(
            "token", method, grant_type="password", username=self.username, password=self.password
        )

    def act_for_itself(self) -> str:
        """Return an access token of the confidential client, of no account."""
        return str(self._ask("token", "client_secret_post", grant_type="client_credentials")["access_token"])

    def describe(self, token: str) -> Json:
        """Return what introspection says of *token*."""
        return self._ask("introspection", "client_secret_post", token=token)

    def _ask(self, endpoint: str, method: str, **form: str) -> Json:
        client = self.client(method)
        who = {"client_id": client.client_id} | ({"client_secret": client.secret} if client.secret else {})
        answer = httpx.post(self.metadata[f"{endpoint}_endpoint"], data=form | who)
        return dict(answer.raise_for_status().json())

    def assert_describes(self, description: Json, method: str) -> None:
        """Assert that *description* is of a live token of the demo account through the client of *method*."""
        assert description["active"] is True
        assert description["client_id"] == self.client(method).client_id
        assert description["username"] == self.username
        assert description["scope"] == "account"
        assert description["iss"] == self.url
        assert description["exp"] > time.time()
