"""The refusals of the service, free of any web framework.

    AuthError                     what the client may know, nothing else
    ├── OAuthError                RFC 6749 §5.2: error, description, status
    │   ├── InvalidRequest 400    ├── InvalidGrant 400          ├── InvalidScope 400
    │   ├── InvalidClient 401     ├── UnauthorizedClient 400    └── UnsupportedGrantType 400
    ├── BearerError               RFC 6750 §3.1: a challenge
    │   ├── MissingBearerToken 401  ├── InvalidBearerToken 401  └── InsufficientScope 403
    ├── Problem                   RFC 9457: status, title, detail
    │   ├── NotFound 404          ├── Forbidden 403             └── Unprocessable 422
    └── Refusal                   either form, as the endpoint speaks
        ├── BodyTooLarge 413      ├── BodyTooSlow 408           ├── UnsupportedMediaType 415
        └── RetryLater            ├── TooManyAttempts 429       └── Unavailable 503

`endpoints/error_responses.py` turns each into a response. `OperatorError` stands apart: it is for
the person at the command line or at a server that will not start.
"""

from typing import ClassVar


class AuthError(Exception):
    """A refusal whose text may be shown to whoever asked."""

    status: ClassVar[int]

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class OAuthError(AuthError):
    """An error of a token, introspection or revocation request (RFC 6749 §5.2)."""

    status = 400
    code: ClassVar[str]


class InvalidRequest(OAuthError):
    """A parameter is missing, repeated or malformed."""

    code = "invalid_request"


class InvalidClient(OAuthError):
    """Client authentication failed."""

    status = 401
    code = "invalid_client"


class InvalidGrant(OAuthError):
    """The password or the refresh token is not good."""

    code = "invalid_grant"


class UnauthorizedClient(OAuthError):
    """The client may not use this grant."""

    code = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """The grant type is not known here."""

    code = "unsupported_grant_type"


class InvalidScope(OAuthError):
    """A scope is malformed, or more than may be granted."""

    code = "invalid_scope"


class BearerError(AuthError):
    """An access token is missing or not enough (RFC 6750 §3)."""

    status = 401
    code: ClassVar[str | None] = None


class MissingBearerToken(BearerError):
    """No access token was sent; the challenge then names no error (RFC 6750 §3.1)."""

    def __init__(self) -> None:
        super().__init__("Send an access token in the header 'Authorization: Bearer TOKEN'.")


class InvalidBearerToken(BearerError):
    """The access token is malformed, expired, revoked or not ours."""

    code = "invalid_token"

    def __init__(self) -> None:
        super().__init__("The access token is expired, revoked or not known.")


class InsufficientScope(BearerError):
    """The access token is live but does not reach this far."""

    status = 403
    code = "insufficient_scope"

    def __init__(self, description: str, *, scope: str = "") -> None:
        super().__init__(description)
        self.scope = scope


class Problem(AuthError):
    """An error of any other request (RFC 9457)."""


class NotFound(Problem):
    """There is no such thing, or it is not the asker's."""

    status = 404


class Forbidden(Problem):
    """The asker is known and may not."""

    status = 403


class Unprocessable(Problem):
    """A value was understood and is not acceptable."""

    status = 422


class Refusal(AuthError):
    """Refused before the request was looked into."""


class BodyTooLarge(Refusal):
    """The request's body is over the limit."""

    status = 413


class BodyTooSlow(Refusal):
    """The request's body did not come in time (RFC 9110 §15.5.9); the connection is closed."""

    status = 408


class UnsupportedMediaType(Refusal):
    """The request's body is not a form."""

    status = 415


class RetryLater(Refusal):
    """The same request may do later."""

    def __init__(self, description: str, *, retry_after: int = 1) -> None:
        super().__init__(description)
        self.retry_after = retry_after


class TooManyAttempts(RetryLater):
    """The asker has asked too often."""

    status = 429


class Unavailable(RetryLater):
    """A store or a queue cannot serve now. Nothing was changed, unless only a store's answer was lost."""

    status = 503


def reason(error: Unavailable) -> str:
    """Return what the driver said, on one line in brackets; for the operator, never for a client."""
    cause = getattr(error.__cause__, "orig", None) or error.__cause__
    text = str(cause or "").strip() or type(cause).__name__
    return f"({text.splitlines()[0]})" if cause is not None else ""


class OperatorError(Exception):
    """A sentence for the operator: what is wrong, and what to type or write instead."""
