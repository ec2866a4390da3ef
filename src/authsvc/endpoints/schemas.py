"""The forms that come in and the bodies that go out, as OpenAPI shows them.

Optional fields default to the empty string, which counts as not sent; without that default Swagger
UI would send the word "string".
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ClientForm(BaseModel):
    """The client's own parameters, which every OAuth request may carry (RFC 6749 §2.3.1)."""

    model_config = ConfigDict(extra="ignore")

    client_id: str = Field(default="", description="The client, unless it authenticates by Basic.")
    client_secret: str = Field(default="", description="A confidential client's secret.")


class LoginForm(ClientForm):
    """A login (RFC 6749 §4.3.2)."""

    username: str = Field(examples=["demo"])
    password: str = Field(json_schema_extra={"format": "password"})
    scope: str = Field(default="", description="Scope tokens separated by spaces; empty: the default set.")
    grant_type: str = Field(default="", description="`password`, or nothing.")


class RefreshForm(ClientForm):
    """A refresh (RFC 6749 §6)."""

    refresh_token: str
    scope: str = Field(default="", description="Narrows the new access token only.")
    grant_type: str = Field(default="", description="`refresh_token`, or nothing.")


class TokenForm(ClientForm):
    """Any token request; which parameters are needed depends on the grant type."""

    grant_type: str = Field(examples=["password", "refresh_token", "client_credentials"])
    username: str = ""
    password: str = Field(default="", json_schema_extra={"format": "password"})
    refresh_token: str = ""
    scope: str = ""


class TokenQueryForm(ClientForm):
    """A token to introspect or to revoke (RFC 7662 §2.1, RFC 7009 §2.1)."""

    token: str = ""
    token_type_hint: str = Field(default="", description="Not needed: the token's shape tells what it is.")


class LogoutForm(ClientForm):
    """A logout; the refresh token is for when the access token has expired."""

    refresh_token: str = ""
    scope: str = Field(default="", description="`session` (default), `others` or `all`.")


class PasswordForm(BaseModel):
    """A change of password."""

    current_password: str = Field(json_schema_extra={"format": "password"})
    new_password: str = Field(json_schema_extra={"format": "password"})


class TokenResponse(BaseModel):
    """What a granted token request returns (RFC 6749 §5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the type of a token, not one
    expires_in: int = Field(description="Seconds.")
    refresh_token: str | None = Field(default=None, description="Absent for a client's own token.")
    scope: str = Field(description="What was granted.")


class IntrospectionResponse(BaseModel):
    """RFC 7662 §2.2. Of a token that is not live, `active` alone."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    username: str | None = None
    token_type: str | None = Field(default=None, description="`Bearer`, or `refresh_token`.")
    exp: int | None = Field(default=None, description="Seconds since 1970.")
    iat: int | None = None
    nbf: int | None = None
    sub: str | None = None
    aud: str | None = None
    iss: str | None = None
    jti: str | None = None
    sid: str | None = Field(default=None, description="The session.")


class OAuthErrorResponse(BaseModel):
    """RFC 6749 §5.2."""

    error: str
    error_description: str


class ProblemResponse(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class SessionResponse(BaseModel):
    """One live session of the account."""

    id: UUID
    client_id: str
    created_at: datetime
    last_used_at: datetime
    address: str | None
    user_agent: str | None
    current: bool = Field(description="Whether the request was made in this session.")


class SessionsResponse(BaseModel):
    """A page of sessions, newest first."""

    sessions: list[SessionResponse]
    next: UUID | None = Field(description="Send it as `after` for the next page; null at the end.")


class MeResponse(BaseModel):
    """The user behind an access token."""

    sub: UUID
    username: str
    scope: str
    client_id: str
    session_id: UUID


class KeySet(BaseModel):
    """Public keys (RFC 7517 §5)."""

    keys: list[dict[str, str]]


class HealthResponse(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReadinessResponse(BaseModel):
    """Each store by name: `ok`, `away` or `not configured`; and why Redis is not asked."""

    status: Literal["ready", "degraded", "unready"]
    database: str
    redis: str
    redis_reason: str | None = None
