"""The forms that come in, as OpenAPI shows them.

Optional fields default to the empty string, which counts as not sent; without that default Swagger
UI would send the word "string". What has an example is filled in when the page is opened.
"""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from authsvc.demo_credentials import DEMO_PASSWORD, DEMO_USERNAME

_USERNAME = [DEMO_USERNAME]
_DEMO_PASSWORD = [DEMO_PASSWORD]
_PASSWORD: JsonDict = {"format": "password"}


class ClientForm(BaseModel):
    """The client's own parameters, which every OAuth request may carry (RFC 6749 §2.3.1)."""

    model_config = ConfigDict(extra="ignore")

    client_id: str = Field(default="", description="The client, unless it authenticates by Basic.")
    client_secret: str = Field(
        default="",
        description="A confidential client's secret, unless it authenticates by Basic.",
        json_schema_extra=_PASSWORD,
    )


class LoginForm(ClientForm):
    """A login (RFC 6749 §4.3.2)."""

    username: str = Field(description="The account's name; letter case does not matter.", examples=_USERNAME)
    password: str = Field(
        description="The account's password.", examples=_DEMO_PASSWORD, json_schema_extra=_PASSWORD
    )
    scope: str = Field(default="", description="Scope tokens separated by spaces; empty: the default set.")
    grant_type: str = Field(default="", description="`password`, or nothing.")


class RefreshForm(ClientForm):
    """A refresh (RFC 6749 §6)."""

    refresh_token: str = Field(description="The newest refresh token of the session.")
    scope: str = Field(default="", description="Narrows the new access token only.")
    grant_type: str = Field(default="", description="`refresh_token`, or nothing.")


class TokenForm(ClientForm):
    """Any token request; which parameters are needed depends on the grant type."""

    grant_type: str = Field(
        description="`password`, `refresh_token` or `client_credentials`.",
        examples=["password", "refresh_token", "client_credentials"],
    )
    username: str = Field(default="", description="For `password`: the account's name.", examples=_USERNAME)
    password: str = Field(
        default="",
        description="For `password`: the account's password.",
        examples=_DEMO_PASSWORD,
        json_schema_extra=_PASSWORD,
    )
    refresh_token: str = Field(
        default="", description="For `refresh_token`: the newest refresh token of the session."
    )
    scope: str = Field(
        default="",
        description="Scope tokens separated by spaces; empty: the default set. "
        "For `refresh_token` it narrows the new access token only.",
    )


class TokenQueryForm(ClientForm):
    """A token to introspect or to revoke (RFC 7662 §2.1, RFC 7009 §2.1)."""

    token: str = Field(default="", description="An access token or a refresh token, of either format.")
    token_type_hint: str = Field(default="", description="Not needed: the token's shape tells what it is.")


class LogoutForm(ClientForm):
    """A logout; the refresh token is for when the access token has expired."""

    refresh_token: str = Field(
        default="",
        description="A refresh token of the session, old or new: for when the access token has expired.",
    )
    scope: str = Field(default="", description="`session` (default), `others` or `all`.")


class PasswordForm(BaseModel):
    """A change of password."""

    current_password: str = Field(
        description="The password as it is now.", examples=_DEMO_PASSWORD, json_schema_extra=_PASSWORD
    )
    new_password: str = Field(
        description="`AUTHSVC_PASSWORD_MIN_LENGTH` (15) to 1,024 characters; no rule on what they are.",
        examples=_DEMO_PASSWORD,
        json_schema_extra=_PASSWORD,
    )
