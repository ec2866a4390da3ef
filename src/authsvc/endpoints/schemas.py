"""The bodies that go out, as OpenAPI shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

# Left out of the body where it says nothing, never null.
TextIfAny = str | SkipJsonSchema[None]
NumberIfAny = int | SkipJsonSchema[None]


class TokenResponse(BaseModel):
    """What a granted token request returns (RFC 6749 §5.1)."""

    access_token: str = Field(description="A JWT or an opaque token, as `AUTHSVC_TOKEN_FORMAT` says.")
    token_type: Literal["Bearer"] = Field(default="Bearer", description="How it is sent (RFC 6750).")
    expires_in: int = Field(description="Seconds until the access token expires.")
    refresh_token: TextIfAny = Field(
        default=None, description="Absent for a client's own token, and for a client without that grant."
    )
    scope: str = Field(description="What was granted, which is what was asked for or the default set.")


class IntrospectionResponse(BaseModel):
    """RFC 7662 §2.2. Of a token that is not live, `active` alone."""

    active: bool = Field(description="Whether the token is live and the caller may see it.")
    scope: TextIfAny = Field(default=None, description="Scope tokens separated by spaces.")
    client_id: TextIfAny = Field(default=None, description="The client it was issued to.")
    username: TextIfAny = Field(
        default=None, description="The account's name; absent for a client's own token."
    )
    token_type: TextIfAny = Field(default=None, description="`Bearer`, or `refresh_token`.")
    exp: NumberIfAny = Field(default=None, description="When it expires, in seconds since 1970.")
    iat: NumberIfAny = Field(default=None, description="When it was issued, in seconds since 1970.")
    nbf: NumberIfAny = Field(
        default=None, description="Not before, in seconds since 1970; access tokens only."
    )
    sub: TextIfAny = Field(
        default=None, description="The account's id; for a client's own token the client's."
    )
    aud: TextIfAny = Field(default=None, description="Whom it is for; access tokens only.")
    iss: TextIfAny = Field(default=None, description="Who issued it: `AUTHSVC_ISSUER`.")
    jti: TextIfAny = Field(default=None, description="The token's own id; access tokens only.")
    sid: TextIfAny = Field(default=None, description="The session; absent for a client's own token.")


class RevocationResponse(BaseModel):
    """An empty object: some client libraries want JSON (RFC 7009 §2.2 leaves the body open)."""


class OAuthErrorResponse(BaseModel):
    """RFC 6749 §5.2."""

    error: str = Field(
        description="`invalid_request`, `invalid_client`, `invalid_grant`, `invalid_scope`, "
        "`unauthorized_client`, `unsupported_grant_type`, `temporarily_unavailable`; "
        "at `/introspect` also `invalid_token` and `insufficient_scope` (RFC 6750 §3.1)."
    )
    error_description: str = Field(description="A sentence for the developer.")


class ProblemResponse(BaseModel):
    """RFC 9457."""

    type: str = Field(default="about:blank", description="Always `about:blank`: the status says it.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The status again.")
    detail: str = Field(description="A sentence for the developer.")


class SessionResponse(BaseModel):
    """One live session of the account."""

    id: UUID = Field(description="Its id: `sid` in tokens.")
    client_id: str = Field(description="The client that the user signed in through.")
    created_at: datetime = Field(description="When the user signed in.")
    last_used_at: datetime = Field(description="The last sign-in or refresh.")
    address: str | None = Field(description="The IP address of the sign-in.")
    user_agent: str | None = Field(description="The User-Agent of the sign-in.")
    current: bool = Field(description="Whether the request was made in this session.")


class SessionsResponse(BaseModel):
    """A page of sessions, newest first."""

    sessions: list[SessionResponse] = Field(description="`limit` at most.")
    next: UUID | None = Field(description="Send it as `after` for the next page; null at the end.")


class MeResponse(BaseModel):
    """The user behind an access token."""

    sub: UUID = Field(description="The account's id; it never changes.")
    username: str = Field(description="The account's name when the token was issued.")
    scope: str = Field(description="The token's scope tokens, separated by spaces.")
    client_id: str = Field(description="The client that the user signed in through.")
    session_id: UUID = Field(description="The session of the token.")


class KeySet(BaseModel):
    """Public keys (RFC 7517 §5)."""

    keys: list[dict[str, str]] = Field(
        description="Each with `kid`, `kty`, `alg`, `use`, and the key itself: `crv`, `x`, `y` or `n`, `e`."
    )


class ServerMetadata(BaseModel):
    """What an OAuth client can find out by itself (RFC 8414 §2). Every URL follows `AUTHSVC_ISSUER`."""

    issuer: str = Field(description="`iss` of every token, byte for byte.")
    token_endpoint: str = Field(description="`POST /token`.")
    introspection_endpoint: str = Field(description="`POST /introspect`.")
    revocation_endpoint: str = Field(description="`POST /revoke`.")
    jwks_uri: str = Field(description="Where the public keys are.")
    service_documentation: str = Field(description="This description, as a page.")
    grant_types_supported: list[str] = Field(description="What `grant_type` may be.")
    scopes_supported: list[str] = Field(description="The scopes that mean something to this service.")
    response_types_supported: list[str] = Field(
        description="`none`: there is no authorization endpoint, and the list may not be empty."
    )
    token_endpoint_auth_methods_supported: list[str] = Field(description="How a client may authenticate.")
    revocation_endpoint_auth_methods_supported: list[str] = Field(description="The same.")
    introspection_endpoint_auth_methods_supported: list[str] = Field(
        description="The same, without `none`: who asks must prove who it is."
    )


class HealthResponse(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(default="ok", description="Always `ok`.")


class ReadinessResponse(BaseModel):
    """How the service and each of its stores is."""

    status: Literal["ready", "degraded", "unready", "stopping"] = Field(
        description="`degraded`: access tokens are still checked; `unready`: not even that; "
        "`stopping`: all of it, and send no more here."
    )
    database: str = Field(description="`ok` or `away`.")
    redis: str = Field(description="`ok`, `away` or `not configured`.")
    redis_reason: str | None = Field(default=None, description="Why Redis is not asked, if it is away.")
