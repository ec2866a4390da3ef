"""The answer of a granted token request (RFC 6749 §5.1)."""

import json

from fastapi import Request
from starlette.responses import Response

from authsvc.audit import Origin
from authsvc.endpoints.documented_answers import headers, oauth_errors, success
from authsvc.grants.issuing import IssuedTokens
from authsvc.scopes import Scope, format_scope, parse_request

_MAX_USER_AGENT = 200
_to_json = json.JSONEncoder(separators=(",", ":")).encode  # `dumps` would make an encoder for each answer

ANSWERS = success(
    "The tokens, and what was granted.", headers({"Cache-Control": "NoStore", "Pragma": "NoCache"})
) | oauth_errors(
    401,
    413,
    415,
    meaning={
        400: "`invalid_request`: a parameter is missing, sent twice, or broken. `invalid_grant`: the "
        "username, the password or the refresh token is not good. `invalid_scope`: more than may be "
        "granted. `unauthorized_client`: the client may not use this grant. `unsupported_grant_type`.",
        429: "Too many attempts with this account, from this address, or with this refresh token.",
        503: "A store or the hashing queue cannot serve now; send the same again. A refresh token may have "
        "been exchanged all the same, and gives the same next one for `AUTHSVC_REFRESH_OVERLAP_SECONDS`; "
        "where that is 0 it counts as replayed, and its session ends.",
    },
)
"""What the endpoints that issue tokens may answer, for OpenAPI."""


def token_response(issued: IssuedTokens) -> Response:
    """Return the tokens; no cache may keep them."""
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return Response(token_body(issued), headers=headers, media_type="application/json")


def token_body(issued: IssuedTokens) -> bytes:
    """Return what `TokenResponse` describes, as JSON in UTF-8."""
    told = {"access_token": issued.access_token, "token_type": "Bearer", "expires_in": issued.expires_in}
    if issued.refresh_token is not None:
        told["refresh_token"] = issued.refresh_token
    told["scope"] = format_scope(issued.scope)
    return _to_json(told).encode()


def requested_scope(text: str) -> Scope | None:
    """Return the scope asked for, None if none was; raises `InvalidScope` where it is malformed."""
    return parse_request(text) if text else None


def origin_of(request: Request) -> Origin:
    """Return where *request* came from, fit to be stored and shown."""
    address = request.client.host if request.client else None
    return origin_from(address, request.headers.get("user-agent", ""))


def origin_from(address: str | None, user_agent: str) -> Origin:
    """Return the same of what a request says of itself."""
    shown = "".join(char for char in user_agent if char.isprintable())[:_MAX_USER_AGENT]
    return Origin(address=address, user_agent=shown or None)
