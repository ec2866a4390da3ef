"""The steps of a resource server built on Authlib's token validators."""

from collections.abc import Callable
from typing import Any

import httpx
from authlib.oauth2 import ResourceProtector
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
from authlib.oauth2.rfc7662 import IntrospectTokenValidator
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator

from authsvc.cli.demo import DEMO_INTROSPECTING_CLIENT_ID, DEMO_PUBLIC_CLIENT_ID, DEMO_USERNAME
from tests.clients.authlib_service import Json, Service


def a_resource_server_asks_by_introspection(service: Service) -> None:
    class Validator(IntrospectTokenValidator):  # type: ignore[misc] # Authlib has no types
        def introspect_token(self, token_string: str) -> Json:
            return service.introspect(token_string)

    client = service.confidential_client()
    token = service.sign_in(client)["access_token"]
    guards(Validator(), token)
    service.revoke(client, token)
    assert raised(InvalidTokenError, lambda: protect(Validator(), token, ["account"]))


class KeySetValidator(JWTBearerTokenValidator):  # type: ignore[misc] # Authlib has no types
    """A resource server that knows the service's published keys and nothing else of it."""

    def __init__(self, service: Service, audience: str) -> None:
        super().__init__(issuer=service.url, resource_server=audience)
        self.service = service

    def get_jwks(self) -> Json:
        """Return the published keys."""
        return self.service.keys


def a_resource_server_checks_the_jwt_itself(service: Service) -> None:
    token = service.sign_in(service.public_client())["access_token"]
    claims = guards(KeySetValidator(service, service.url), token)
    assert claims["username"] == DEMO_USERNAME
    assert claims["client_id"] == DEMO_PUBLIC_CLIENT_ID


def a_resource_server_checks_a_client_credentials_jwt(service: Service) -> None:
    token = service.confidential_client().fetch_token(grant_type="client_credentials")["access_token"]
    assert protect(KeySetValidator(service, service.url), token, [])["sub"] == DEMO_INTROSPECTING_CLIENT_ID


def a_jwt_for_another_audience_is_refused(service: Service) -> None:
    token = service.sign_in(service.public_client())["access_token"]
    validator = KeySetValidator(service, "https://other.example")
    assert raised(InvalidTokenError, lambda: protect(validator, token, []))


def a_forged_jwt_is_refused(service: Service) -> None:
    token = service.sign_in(service.public_client())["access_token"]
    forged = token[:-8] + ("BBBBBBBB" if token.endswith("AAAAAAAA") else "AAAAAAAA")
    assert raised(InvalidTokenError, lambda: protect(KeySetValidator(service, service.url), forged, []))


def guards(validator: Any, token: str) -> Json:
    """Assert that *validator* admits *token* to its scope and to no other; return what it learned."""
    assert raised(InsufficientScopeError, lambda: protect(validator, token, ["everything"]))
    return protect(validator, token, ["account"])


def protect(validator: Any, token: str, scopes: list[str]) -> Json:
    """Send *token* to a resource behind *validator*."""
    protector = ResourceProtector()
    protector.register_token_validator(validator)
    request = httpx.Request("GET", "https://resource.example/", headers={"Authorization": f"Bearer {token}"})
    return dict(protector.validate_request(scopes, request))


def raised(kind: type[Exception], request: Callable[[], object]) -> bool:
    """Whether *request* raises *kind*."""
    try:
        request()
    except kind:
        return True
    return False


STEPS = (a_resource_server_asks_by_introspection,)
JWT_STEPS = (
    a_resource_server_checks_the_jwt_itself,
    a_resource_server_checks_a_client_credentials_jwt,
    a_jwt_for_another_audience_is_refused,
    a_forged_jwt_is_refused,
)
