"""GET /verify, for proxies that ask before they let a request through (nginx, Caddy, Traefik)."""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from authsvc.endpoints.bearer import LiveToken
from authsvc.endpoints.documented_answers import problems, success
from authsvc.errors import InsufficientScope, InvalidScope
from authsvc.scopes import Scope, format_scope, parse_request
from authsvc.tokens.access_token import AccessToken

router = APIRouter(tags=["resource servers"])

# Printable ASCII stays as it is, but for the character that begins an escape.
_PLAIN = re.compile("[ -$&-~]*")
_SAFE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


_SAYS = {
    "X-Auth-User": "The account's name; empty for a client's own token.",
    "X-Auth-Subject": "The account's id; for a client's own token the client's.",
    "X-Auth-Client": "The client that the token was issued to.",
    "X-Auth-Scope": "The token's scope tokens, separated by spaces.",
    "X-Auth-Session": "The session; empty for a client's own token.",
}
_ANSWERS = success(
    "Let it through; the headers say for whom. UTF-8; `%` and what is not printable ASCII is escaped.",
    {
        name: {"description": said, "required": True, "schema": {"type": "string"}}
        for name, said in _SAYS.items()
    },
) | problems(401, 503, meaning={403: "The access token lacks a scope that `scope` demands."})


@router.get(
    "/verify",
    summary="Let a request through, or not",
    response_class=Response,
    responses=_ANSWERS,
    openapi_extra={"security": [{"user": []}]},
)
async def verify(
    request: Request,
    token: LiveToken,
    scope: Annotated[str, Query(description="Scope tokens that are demanded, separated by spaces.")] = "",
) -> Response:
    """Answer 200 with no body for a live access token, and who it speaks for in headers.

    A proxy calls it with the Authorization header of the request it holds, before it lets that through. Every
    header is there on every 200, empty where unknown, so that none that a stranger sent gets past the proxy.
    It changes nothing: nothing is refreshed.
    """
    if len(request.query_params.getlist("scope")) > 1:
        raise InsufficientScope("A scope is demanded twice; name all of them in one parameter.")
    _require(scope, token.scope)
    return Response(headers=identity_headers(token))


def identity_headers(token: AccessToken) -> dict[str, str]:
    """Return what a proxy is told of a live token."""
    return {
        "X-Auth-User": _escaped(token.username or ""),
        "X-Auth-Subject": _escaped(token.subject),
        "X-Auth-Client": _escaped(token.client_id),
        "X-Auth-Scope": _escaped(format_scope(token.scope)),
        "X-Auth-Session": "" if token.session_id is None else str(token.session_id),
        "Cache-Control": "no-store",
    }


def _escaped(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=_SAFE)


def _require(demanded: str, held: Scope) -> None:
    try:
        missing = parse_request(demanded) - held
    except InvalidScope:
        # A proxy understands 401 and 403 and nothing else; nobody holds such a scope.
        raise InsufficientScope("The scope demanded is malformed.") from None
    if missing:
        raise InsufficientScope("The token lacks a scope that is demanded here.", scope=format_scope(missing))
