"""The steps of an application built on Authlib's `OAuth2Client`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

from tests.clients.application import add_application_steps
from tests.clients.seen_service import DEAD, DemoClient, Json, SeenService
from tests.clients.steps import Steps


@dataclass(frozen=True)
class Application:
    """One client of the service, as Authlib makes it."""

    session: Any
    metadata: Json

    def sign_in(self, username: str, password: str, scope: str | None = None) -> Json:
        """Exchange a password for tokens."""
        self.session.scope = scope
        return dict(self.session.fetch_token(username=username, password=password))

    def refresh(self, refresh_token: str) -> Json:
        """Exchange a refresh token for tokens."""
        return dict(self.session.refresh_token(refresh_token=refresh_token))

    def act_for_itself(self) -> Json:
        """Get a token of the client's own."""
        return dict(self.session.fetch_token(grant_type="client_credentials"))

    def revoke(self, token: str, hint: str) -> None:
        """Revoke a token."""
        self.session.revoke_token(self.metadata["revocation_endpoint"], token, hint).raise_for_status()

    def introspect(self, token: str) -> Json:
        """Ask about a token."""
        answer = self.session.introspect_token(self.metadata["introspection_endpoint"], token)
        return dict(answer.raise_for_status().json())


def connect(service: SeenService, client: DemoClient) -> Application:
    """Return the application that *client* is; each endpoint is told how it authenticates."""
    session = OAuth2Client(
        client.client_id,
        client.secret,
        token_endpoint_auth_method=client.method,
        revocation_endpoint_auth_method=client.method,
        token_endpoint=service.metadata["token_endpoint"],
    )
    return Application(session, service.metadata)


def refusal(request: Callable[[], object]) -> str:
    """Return the error code with which *request* is refused."""
    try:
        request()
    except OAuthError as error:
        return str(error.error)
    raise AssertionError("not refused")


steps = Steps()
add_application_steps(steps, connect, refusal)


@steps
def the_metadata_is_valid(service: SeenService) -> None:
    found = httpx.get(get_well_known_url(service.url, external=True)).raise_for_status().json()
    # The validator takes https only; with it written in, it judges all the rest.
    AuthorizationServerMetadata({name: over_https(value) for name, value in found.items()}).validate()


def over_https(value: object) -> object:
    return value.replace("http://", "https://", 1) if isinstance(value, str) else value


@steps
def an_expired_token_is_refreshed_unasked(service: SeenService) -> None:
    application = connect(service, service.client("none"))
    first = application.sign_in(service.username, service.password)
    application.session.token["expires_at"] = 1
    me = application.session.get(f"{service.url}/me").raise_for_status().json()
    assert me["username"] == service.username
    assert application.session.token["access_token"] != first["access_token"]


@steps
def introspection_by_basic_describes_a_live_token(service: SeenService) -> None:
    describes(service, "client_secret_basic")


@steps
def introspection_by_form_describes_a_live_token(service: SeenService) -> None:
    describes(service, "client_secret_post")


def describes(service: SeenService, method: str) -> None:
    caller = connect(service, service.client(method))
    service.assert_describes(caller.introspect(service.sign_in()["access_token"]), "none")
    assert caller.introspect("not-a-token") == DEAD
