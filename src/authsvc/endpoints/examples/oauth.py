"""Tokens, introspection, revocation."""

from authsvc.demo_credentials import DEMO_PASSWORD, DEMO_PUBLIC_CLIENT_ID, DEMO_USERNAME
from authsvc.endpoints.error_responses import oauth_body
from authsvc.endpoints.examples.example import (
    ACCESS_TOKEN,
    BY_BASIC,
    BY_CLIENT_TOKEN,
    BY_USER,
    DEAD_TOKEN,
    DEMO_SERVICE,
    REFRESH_TOKEN,
    Example,
)
from authsvc.endpoints.examples.values import CLIENT_TOKENS, LIVE_ACCESS_TOKEN, TOKENS

_DEMO = {"username": DEMO_USERNAME, "password": DEMO_PASSWORD}
_DEMO_APP = {"client_id": DEMO_PUBLIC_CLIENT_ID}
_WRONG_SECRET = DEMO_SERVICE | {"client_secret": "not the secret"}
_INACTIVE = {"active": False}
_BAD_CLIENT = oauth_body(
    "invalid_client", "The client is unknown or disabled, or its secret is wrong or missing."
)
_BAD_REFRESH_TOKEN = oauth_body(
    "invalid_grant", "The refresh token is expired, revoked, already used or not known."
)
_BAD_SCOPE = oauth_body("invalid_scope", "The scope asked for is more than may be granted here.")

LOGIN = (
    Example("demo", "The demo account, as the client public", 200, TOKENS, form=_DEMO),
    Example("client", "The demo account, as another client", 200, TOKENS, form=_DEMO | _DEMO_APP),
    Example("scope", "A scope by name", 200, TOKENS, form=_DEMO | {"scope": "account"}),
    Example(
        "wrong_password",
        "A wrong password, or an unknown name",
        400,
        oauth_body("invalid_grant", "The username or the password is wrong."),
        form=_DEMO | {"password": "not the password"},
    ),
    Example(
        "no_password",
        "A parameter is missing",
        400,
        oauth_body("invalid_request", "Missing: password."),
        form={"username": DEMO_USERNAME},
    ),
    Example(
        "foreign_scope",
        "A scope that the client may not have",
        400,
        _BAD_SCOPE,
        form=_DEMO | {"scope": "account orders"},
    ),
    Example("unknown_client", "An unknown client", 401, _BAD_CLIENT, form=_DEMO | {"client_id": "nobody"}),
)

TOKEN = (
    Example("password", "A username and a password", 200, TOKENS, form={"grant_type": "password"} | _DEMO),
    Example(
        "refresh_token",
        "A refresh token",
        200,
        TOKENS,
        form={"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN},
    ),
    Example(
        "client_credentials",
        "A client's own token, that lets it introspect",
        200,
        CLIENT_TOKENS,
        form={"grant_type": "client_credentials", "scope": "introspect"} | DEMO_SERVICE,
    ),
    Example(
        "basic",
        "The same, the client by Basic",
        200,
        CLIENT_TOKENS,
        form={"grant_type": "client_credentials", "scope": "introspect"},
        authorization=BY_BASIC,
    ),
    Example(
        "unknown_grant",
        "A grant that is not known",
        400,
        oauth_body(
            "unsupported_grant_type", "Known grant types: password, refresh_token, client_credentials."
        ),
        form={"grant_type": "authorization_code"},
    ),
    Example(
        "foreign_grant",
        "A grant that the client may not use",
        400,
        oauth_body("unauthorized_client", "This client may not use the grant client_credentials."),
        form={"grant_type": "client_credentials"} | _DEMO_APP,
    ),
    Example(
        "wrong_secret",
        "A wrong secret",
        401,
        _BAD_CLIENT,
        form={"grant_type": "client_credentials"} | _WRONG_SECRET,
    ),
)

REFRESH = (
    Example("demo", "The next tokens", 200, TOKENS, form={"refresh_token": REFRESH_TOKEN}),
    Example(
        "unknown",
        "A refresh token that is not known",
        400,
        _BAD_REFRESH_TOKEN,
        form={"refresh_token": "dead"},
    ),
    Example(
        "foreign_client",
        "Another client than the token's own",
        400,
        _BAD_REFRESH_TOKEN,
        form={"refresh_token": REFRESH_TOKEN} | _DEMO_APP,
    ),
    Example(
        "more_scope",
        "More than the session has",
        400,
        _BAD_SCOPE,
        form={"refresh_token": REFRESH_TOKEN, "scope": "account orders"},
    ),
    Example(
        "wrong_secret",
        "A wrong secret",
        401,
        _BAD_CLIENT,
        form={"refresh_token": REFRESH_TOKEN} | _WRONG_SECRET,
    ),
)

INTROSPECT = (
    Example(
        "live", "A live token", 200, LIVE_ACCESS_TOKEN, form={"token": ACCESS_TOKEN}, authorization=BY_BASIC
    ),
    Example(
        "form", "The caller in the form", 200, LIVE_ACCESS_TOKEN, form={"token": ACCESS_TOKEN} | DEMO_SERVICE
    ),
    Example(
        "bearer",
        "The caller by a token of its own",
        200,
        LIVE_ACCESS_TOKEN,
        form={"token": ACCESS_TOKEN},
        authorization=BY_CLIENT_TOKEN,
    ),
    Example(
        "dead",
        "Expired, revoked, unknown, or not for this caller",
        200,
        _INACTIVE,
        form={"token": "dead"},
        authorization=BY_BASIC,
    ),
    Example(
        "no_token",
        "A parameter is missing",
        400,
        oauth_body("invalid_request", "Missing: token."),
        form=DEMO_SERVICE,
    ),
    Example("wrong_secret", "A wrong secret", 401, _BAD_CLIENT, form={"token": ACCESS_TOKEN} | _WRONG_SECRET),
    Example(
        "dead_bearer",
        "The caller's own token is dead",
        401,
        oauth_body("invalid_token", "The access token is expired, revoked or not known."),
        form={"token": ACCESS_TOKEN},
        authorization=DEAD_TOKEN,
    ),
    Example(
        "user",
        "A user's token instead of a client's",
        403,
        oauth_body("insufficient_scope", "Introspection needs a token with the scope 'introspect'."),
        form={"token": ACCESS_TOKEN},
        authorization=BY_USER,
    ),
)

REVOKE = (
    Example(
        "session",
        "A refresh token: its session ends",
        200,
        {},
        form={"token": REFRESH_TOKEN, "client_id": "public"},
    ),
    Example(
        "access_token",
        "An access token: it dies alone",
        200,
        {},
        form={"token": ACCESS_TOKEN, "client_id": "public"},
    ),
    Example(
        "unknown",
        "A token that is not known, or another client's",
        200,
        {},
        form={"token": "dead"},
        authorization=BY_BASIC,
    ),
    Example(
        "no_token",
        "A parameter is missing",
        400,
        oauth_body("invalid_request", "Missing: token."),
        form={"client_id": "public"},
    ),
    Example("nobody", "No client at all", 401, _BAD_CLIENT, form={"token": ACCESS_TOKEN}),
)
