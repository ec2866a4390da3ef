"""The published keys (RFC 7517) and the server's metadata (RFC 8414). URLs follow the issuer only."""

import hashlib
import json

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from authsvc.clients import GRANTS
from authsvc.endpoints.schemas import KeySet
from authsvc.endpoints.services import ServicesOf
from authsvc.scopes import ACCOUNT, INTROSPECT

router = APIRouter(prefix="/.well-known", tags=["resource servers"])

# Basic first: some clients take the first they find.
_CONFIDENTIAL = ["client_secret_basic", "client_secret_post"]
_METADATA_MAX_AGE = 300


@router.get(
    "/jwks.json",
    summary="The public keys that check a JWT",
    response_model=KeySet,
    responses={304: {"description": "Unchanged since the ETag sent."}},
)
async def jwks(request: Request, services: ServicesOf) -> Response:
    """Return every key that signs, will sign, or has lately signed."""
    body = json.dumps(services.keys.jwks(), separators=(",", ":")).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={services.jwks_max_age_seconds}", "ETag": etag}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get("/oauth-authorization-server", summary="What this server can do")
async def metadata(services: ServicesOf) -> JSONResponse:
    """Return the authorization server's metadata (RFC 8414 §2)."""
    issuer = services.issuer
    methods = [*_CONFIDENTIAL, "none"]
    body = {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/token",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "service_documentation": f"{issuer}/docs",
        "grant_types_supported": list(GRANTS),
        "scopes_supported": [ACCOUNT, INTROSPECT],
        # Required and never empty (§2, §3.2); there is no authorization endpoint.
        "response_types_supported": ["none"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": _CONFIDENTIAL,
    }
    return JSONResponse(body, headers={"Cache-Control": f"public, max-age={_METADATA_MAX_AGE}"})
