"""A running authsvc as an application built on Authlib sees it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc8414 import get_well_known_url

from authsvc.cli.demo import (
    DEMO_INTROSPECTING_CLIENT_ID,
    DEMO_INTROSPECTING_CLIENT_SECRET,
    DEMO_PASSWORD,
    DEMO_PUBLIC_CLIENT_ID,
    DEMO_USERNAME,
)

Json = dict[str, Any]


@dataclass(frozen=True)
class Service:
    """The authsvc under test, as a client comes to know it: by its metadata."""

    url: str

    @cached_property
    def metadata(self) -> Json:
        """The document of RFC 8414."""
        found = httpx.get(get_well_known_url(self.url, external=True)).raise_for_status().json()
        assert found["issuer"] == self.url
        return dict(found)

    @cached_property
    def keys(self) -> Json:
        """The published keys."""
        return dict(httpx.get(self.metadata["jwks_uri"]).raise_for_status().json())

    def public_client(self) -> OAuth2Client:
        """Return a client without a secret."""
        return OAuth2Client(DEMO_PUBLIC_CLIENT_ID, token_endpoint=self.metadata["token_endpoint"])

    def confidential_client(self, method: str = "client_secret_basic") -> OAuth2Client:
        """Return the client that may introspect, authenticated by *method*."""
        return OAuth2Client(
            DEMO_INTROSPECTING_CLIENT_ID,
            DEMO_INTROSPECTING_CLIENT_SECRET,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            token_endpoint=self.metadata["token_endpoint"],
        )

    def sign_in(self, client: OAuth2Client) -> Json:
        """Exchange the demo account's password for tokens."""
        return dict(client.fetch_token(username=DEMO_USERNAME, password=DEMO_PASSWORD))

    def introspect(self, token: str, method: str = "client_secret_basic", hint: str | None = None) -> Json:
        """Return what the service says of *token*."""
        client = self.confidential_client(method)
        answer = client.introspect_token(self.metadata["introspection_endpoint"], token, hint)
        return dict(answer.raise_for_status().json())

    def revoke(self, client: OAuth2Client, token: str, hint: str | None = None) -> None:
        """Revoke *token*."""
        client.revoke_token(self.metadata["revocation_endpoint"], token, hint).raise_for_status()
