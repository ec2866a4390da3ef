"""What services that are guarded ask, and the proxies before them."""

from authsvc.endpoints.error_responses import problem_body
from authsvc.endpoints.examples.example import BY_CLIENT_TOKEN, BY_USER, DEAD_TOKEN, ETAG, Example
from authsvc.endpoints.examples.user import NO_TOKEN, NOT_LIVE
from authsvc.endpoints.examples.values import ISSUER, KEY

VERIFY = (
    Example("demo", "A live token", 200, authorization=BY_USER),
    Example("scope", "A scope is demanded", 200, parameters={"scope": "account"}, authorization=BY_USER),
    Example("of_client", "A client's own token", 200, authorization=BY_CLIENT_TOKEN),
    Example("no_token", "No access token", 401, NO_TOKEN),
    Example("dead", "Expired, revoked or unknown", 401, NOT_LIVE, authorization=DEAD_TOKEN),
    Example(
        "foreign_scope",
        "A scope that the token lacks",
        403,
        problem_body(403, "The token lacks a scope that is demanded here."),
        parameters={"scope": "account orders"},
        authorization=BY_USER,
    ),
)

JWKS = (
    Example(
        "keys", "The key that signs, and the next", 200, {"keys": [KEY, KEY | {"kid": "b7d0e6c25f93418a"}]}
    ),
    Example("unchanged", "Unchanged", 304, parameters={"If-None-Match": ETAG}),
)

_METHODS = ["client_secret_basic", "client_secret_post"]
METADATA = (
    Example(
        "dev",
        "Of `authsvc dev`",
        200,
        {
            "issuer": ISSUER,
            "token_endpoint": f"{ISSUER}/token",
            "introspection_endpoint": f"{ISSUER}/introspect",
            "revocation_endpoint": f"{ISSUER}/revoke",
            "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
            "service_documentation": f"{ISSUER}/docs",
            "grant_types_supported": ["password", "refresh_token", "client_credentials"],
            "scopes_supported": ["account", "introspect"],
            "response_types_supported": ["none"],
            "token_endpoint_auth_methods_supported": [*_METHODS, "none"],
            "revocation_endpoint_auth_methods_supported": [*_METHODS, "none"],
            "introspection_endpoint_auth_methods_supported": _METHODS,
        },
    ),
)
