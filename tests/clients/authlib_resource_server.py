"""The steps of a resource server built on Authlib's token validators."""

from typing import Any

import httpx
from authlib.oauth2 import ResourceProtector
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
from authlib.oauth2.rfc7662 import IntrospectTokenValidator
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator

from tests.clients.authlib_application import connect
from tests.clients.resource_server import add_resource_server_steps
from tests.clients.seen_service import Json, SeenService
from tests.clients.steps import Steps, raises


def protect(validator: Any, token: str, scopes: list[str]) -> Json:
    """Send *token* to a resource behind *validator*."""
    protector = ResourceProtector()
    protector.register_token_validator(validator)
    request = httpx.Request("GET", "https://resource.example/", headers={"Authorization": f"Bearer {token}"})
    return dict(protector.validate_request(scopes, request))


class KeySetValidator(JWTBearerTokenValidator):  # type: ignore[misc] # Authlib has no types
    """A resource server that knows the service's published keys and nothing else of it."""

    def __init__(self, service: SeenService, issuer: str, audience: str) -> None:
        super().__init__(issuer=issuer, resource_server=audience)
        self.service = service

    def get_jwks(self) -> Json:
        """Return the published keys."""
        return dict(httpx.get(self.service.metadata["jwks_uri"]).raise_for_status().json())


def verify(service: SeenService, token: str, issuer: str, audience: str) -> Json:
    """Return the claims of *token*."""
    return protect(KeySetValidator(service, issuer, audience), token, [])


steps = Steps()
jwt_steps = Steps()
add_resource_server_steps(jwt_steps, verify, InvalidTokenError)


@steps
def a_resource_server_asks_by_introspection(service: SeenService) -> None:
    caller = connect(service, service.client("client_secret_basic"))

    class Validator(IntrospectTokenValidator):  # type: ignore[misc] # Authlib has no types
        def introspect_token(self, token_string: str) -> Json:
            return caller.introspect(token_string)

    token = service.sign_in("client_secret_basic")["access_token"]
    guards(Validator(), token)
    caller.revoke(token, "access_token")
    assert raises(InvalidTokenError, lambda: protect(Validator(), token, ["account"]))


@jwt_steps
def a_resource_server_checks_the_scope_of_a_jwt(service: SeenService) -> None:
    guards(KeySetValidator(service, service.url, service.url), service.sign_in()["access_token"])


def guards(validator: Any, token: str) -> None:
    """Assert that *validator* admits *token* to its scope and to no other."""
    assert protect(validator, token, ["account"])
    assert raises(InsufficientScopeError, lambda: protect(validator, token, ["everything"]))
