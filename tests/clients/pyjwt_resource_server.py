"""The steps of a resource server built on PyJWT's `PyJWKClient`."""

import jwt

from tests.clients.resource_server import add_resource_server_steps
from tests.clients.seen_service import Json, SeenService
from tests.clients.steps import Steps, raises


def key_client(service: SeenService) -> jwt.PyJWKClient:
    """Return what fetches the published keys."""
    return jwt.PyJWKClient(service.metadata["jwks_uri"])


def verify(service: SeenService, token: str, issuer: str, audience: str) -> Json:
    """Return the claims of *token*."""
    key = key_client(service).get_signing_key_from_jwt(token)
    required: list[str] = ["iss", "aud", "sub", "client_id", "iat", "exp", "jti"]
    return jwt.decode(
        token, key, algorithms=["ES256"], issuer=issuer, audience=audience, options={"require": required}
    )


jwt_steps = Steps()
add_resource_server_steps(jwt_steps, verify, jwt.InvalidTokenError)


@jwt_steps
def every_published_key_is_a_signing_key(service: SeenService) -> None:
    keys = key_client(service)
    published = keys.get_jwk_set().keys
    assert published
    assert len(keys.get_signing_keys()) == len(published)


@jwt_steps
def a_key_id_nobody_published_is_not_found(service: SeenService) -> None:
    assert raises(jwt.PyJWKClientError, lambda: key_client(service).get_signing_key("made-up"))
