"""The answer of a granted token request (RFC 6749 §5.1)."""

from fastapi import Request
from fastapi.responses import JSONResponse

from authsvc.audit import Origin
from authsvc.endpoints.schemas import OAuthErrorResponse, TokenResponse
from authsvc.grants.issuing import IssuedTokens
from authsvc.scopes import Scope, format_scope, parse_scope

_MAX_USER_AGENT = 200

ERRORS: dict[int | str, dict[str, object]] = {
    status: {"model": OAuthErrorResponse, "description": description}
    for status, description in {
        400: "The request, the grant or the scope is not good; `error` says which.",
        401: "`invalid_client`: the client is unknown, or its secret is wrong.",
        413: "The body is too large.",
        415: "The body is not a form.",
        429: "Too many attempts; see `Retry-After`.",
        503: "A store or the hashing queue cannot serve now; nothing changed; see `Retry-After`.",
    }.items()
}
"""What an OAuth endpoint may answer besides 200, for OpenAPI."""


def token_response(issued: IssuedTokens) -> JSONResponse:
    """Return the tokens; no cache may keep them."""
    body = TokenResponse(
        access_token=issued.access_token,
        expires_in=issued.expires_in,
        refresh_token=issued.refresh_token,
        scope=format_scope(issued.scope),
    )
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return JSONResponse(body.model_dump(exclude_none=True), headers=headers)


def requested_scope(text: str) -> Scope | None:
    """Return the scope asked for, None if none was; raises `InvalidScope` where it is malformed."""
    return parse_scope(text) if text else None


def origin_of(request: Request) -> Origin:
    """Return where *request* came from, fit to be stored and shown."""
    agent = request.headers.get("user-agent", "")
    shown = "".join(char for char in agent if char.isprintable())[:_MAX_USER_AGENT]
    return Origin(address=request.client.host if request.client else None, user_agent=shown or None)
