"""The steps of a client built on Authlib's `OAuth2Client`."""

import time
from collections.abc import Callable

from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from authsvc.cli.demo import (
    DEMO_INTROSPECTING_CLIENT_ID,
    DEMO_PUBLIC_CLIENT_ID,
    DEMO_USERNAME,
)
from tests.clients.authlib_service import Service


def the_metadata_is_valid(service: Service) -> None:
    # The validator takes https only; with it written in, it judges all the rest.
    https = {name: over_https(value) for name, value in service.metadata.items()}
    AuthorizationServerMetadata(https).validate()


def over_https(value: object) -> object:
    return value.replace("http://", "https://", 1) if isinstance(value, str) else value


def a_public_client_signs_in(service: Service) -> None:
    tokens = service.sign_in(service.public_client())
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == "account"
    assert tokens["refresh_token"]
    assert tokens["expires_at"] > time.time()


def a_confidential_client_signs_in_by_basic(service: Service) -> None:
    assert service.sign_in(service.confidential_client())["access_token"]


def a_confidential_client_signs_in_by_form(service: Service) -> None:
    assert service.sign_in(service.confidential_client("client_secret_post"))["access_token"]


def a_wrong_password_is_invalid_grant(service: Service) -> None:
    client = service.public_client()
    error = refusal(lambda: client.fetch_token(username=DEMO_USERNAME, password="wrong and long enough"))
    assert error == "invalid_grant"


def a_wrong_client_secret_is_invalid_client(service: Service) -> None:
    client = service.confidential_client()
    client.client_secret = "wrong"
    assert refusal(lambda: service.sign_in(client)) == "invalid_client"


def a_scope_that_may_not_be_had_is_invalid_scope(service: Service) -> None:
    client = service.public_client()
    client.scope = "account everything"
    assert refusal(lambda: service.sign_in(client)) == "invalid_scope"


def a_public_client_refreshes(service: Service) -> None:
    refreshes(service, service.public_client())


def a_confidential_client_refreshes_by_basic(service: Service) -> None:
    refreshes(service, service.confidential_client())


def a_confidential_client_refreshes_by_form(service: Service) -> None:
    refreshes(service, service.confidential_client("client_secret_post"))


def refreshes(service: Service, client: OAuth2Client) -> None:
    first = service.sign_in(client)
    second = client.refresh_token(refresh_token=first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    assert service.introspect(second["access_token"])["active"] is True


def an_expired_token_is_refreshed_unasked(service: Service) -> None:
    client = service.public_client()
    first = service.sign_in(client)
    client.token["expires_at"] = 1
    me = client.get(f"{service.url}/me").raise_for_status().json()
    assert me["username"] == DEMO_USERNAME
    assert client.token["access_token"] != first["access_token"]


def introspection_by_basic_describes_a_live_token(service: Service) -> None:
    describes(service, "client_secret_basic")


def introspection_by_form_describes_a_live_token(service: Service) -> None:
    describes(service, "client_secret_post")


def describes(service: Service, method: str) -> None:
    token = service.sign_in(service.public_client())["access_token"]
    description = service.introspect(token, method, "access_token")
    assert description["active"] is True
    assert description["client_id"] == DEMO_PUBLIC_CLIENT_ID
    assert description["username"] == DEMO_USERNAME
    assert description["scope"] == "account"
    assert description["iss"] == service.url
    assert description["exp"] > time.time()


def a_token_nobody_issued_is_inactive(service: Service) -> None:
    assert service.introspect("not-a-token") == {"active": False}


def client_credentials_give_no_refresh_token(service: Service) -> None:
    tokens = service.confidential_client().fetch_token(grant_type="client_credentials")
    assert "refresh_token" not in tokens
    assert service.introspect(tokens["access_token"])["sub"] == DEMO_INTROSPECTING_CLIENT_ID


def revoking_an_access_token_ends_it(service: Service) -> None:
    client = service.confidential_client()
    token = service.sign_in(client)["access_token"]
    service.revoke(client, token, "access_token")
    assert service.introspect(token) == {"active": False}


def revoking_by_form_ends_an_access_token(service: Service) -> None:
    client = service.confidential_client("client_secret_post")
    token = service.sign_in(client)["access_token"]
    service.revoke(client, token)
    assert service.introspect(token) == {"active": False}


def a_public_client_revokes_its_refresh_token(service: Service) -> None:
    client = service.public_client()
    tokens = service.sign_in(client)
    service.revoke(client, tokens["refresh_token"], "refresh_token")
    assert service.introspect(tokens["access_token"]) == {"active": False}
    again = refusal(lambda: client.refresh_token(refresh_token=tokens["refresh_token"]))
    assert again == "invalid_grant"


def revoking_a_token_nobody_issued_is_no_error(service: Service) -> None:
    service.revoke(service.public_client(), "not-a-token")


def refusal(request: Callable[[], object]) -> str:
    """Return the error code with which *request* is refused."""
    try:
        request()
    except OAuthError as error:
        return str(error.error)
    raise AssertionError("not refused")


STEPS = (
    the_metadata_is_valid,
    a_public_client_signs_in,
    a_confidential_client_signs_in_by_basic,
    a_confidential_client_signs_in_by_form,
    a_wrong_password_is_invalid_grant,
    a_wrong_client_secret_is_invalid_client,
    a_scope_that_may_not_be_had_is_invalid_scope,
    a_public_client_refreshes,
    a_confidential_client_refreshes_by_basic,
    a_confidential_client_refreshes_by_form,
    an_expired_token_is_refreshed_unasked,
    introspection_by_basic_describes_a_live_token,
    introspection_by_form_describes_a_live_token,
    a_token_nobody_issued_is_inactive,
    client_credentials_give_no_refresh_token,
    revoking_an_access_token_ends_it,
    revoking_by_form_ends_an_access_token,
    a_public_client_revokes_its_refresh_token,
    revoking_a_token_nobody_issued_is_no_error,
)
