"""The steps of an application built on httpx-oauth, which knows neither passwords nor introspection."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from httpx_oauth.oauth2 import (  # type: ignore[import-not-found] # installed in the clients' environment only
    OAuth2,
    OAuth2RequestError,
)

from tests.clients.application import add_holder_steps
from tests.clients.seen_service import DemoClient, Json, SeenService
from tests.clients.steps import Steps


@dataclass(frozen=True)
class Application:
    """One client of the service, as httpx-oauth makes it."""

    session: Any

    def refresh(self, refresh_token: str) -> Json:
        """Exchange a refresh token for tokens."""
        return dict(asyncio.run(self.session.refresh_token(refresh_token)))

    def revoke(self, token: str, hint: str) -> None:
        """Revoke a token."""
        asyncio.run(self.session.revoke_token(token, hint))


def connect(service: SeenService, client: DemoClient) -> Application:
    """Return the application that *client* is; without a secret, the library sends an empty one."""
    method = "client_secret_post" if client.method == "none" else client.method
    endpoint = service.metadata["token_endpoint"]
    session = OAuth2(
        client.client_id,
        client.secret or "",
        # Asked for by the library, and never used: there is no such endpoint.
        authorize_endpoint=f"{service.url}/authorize",
        access_token_endpoint=endpoint,
        refresh_token_endpoint=endpoint,
        revoke_token_endpoint=service.metadata["revocation_endpoint"],
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )
    return Application(session)


def refusal(request: Callable[[], object]) -> str:
    """Return the error code with which *request* is refused."""
    try:
        request()
    except OAuth2RequestError as error:
        return str(error.response.json()["error"])
    raise AssertionError("not refused")


steps = Steps()
add_holder_steps(steps, connect, refusal)


@steps
def it_knows_how_long_the_access_token_is_good(service: SeenService) -> None:
    session = connect(service, service.client("none")).session
    tokens = asyncio.run(session.refresh_token(service.sign_in()["refresh_token"]))
    assert tokens["expires_at"] > 0
    assert not tokens.is_expired()


@steps
def a_wrong_secret_is_invalid_client(service: SeenService) -> None:
    stranger = DemoClient(service.client("client_secret_basic").client_id, "wrong", "client_secret_basic")
    token = service.sign_in("client_secret_basic")["refresh_token"]
    assert refusal(lambda: connect(service, stranger).refresh(token)) == "invalid_client"
