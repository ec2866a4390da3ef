"""The published keys (RFC 7517) and the server's metadata (RFC 8414). URLs follow the issuer only."""

import hashlib
import json

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from authsvc.clients import GRANTS
from authsvc.endpoints.documented_answers import headers, problems, success
from authsvc.endpoints.schemas import KeySet, ServerMetadata
from authsvc.endpoints.services import ServicesOf
from authsvc.scopes import ACCOUNT, INTROSPECT

router = APIRouter(prefix="/.well-known", tags=["resource servers"])

# Basic first: some clients take the first they find.
_CONFIDENTIAL = ["client_secret_basic", "client_secret_post"]
_METADATA_MAX_AGE = 300


_CACHED = headers({"Cache-Control": "Public", "ETag": "ETag"})
_FULL = {503: "Too many requests are in work."}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the key set that the caller has.",
    "schema": {"type": "string"},
}


@router.get(
    "/jwks.json",
    summary="The public keys that check a JWT",
    response_model=KeySet,
    responses=success("The keys.", _CACHED)
    | success("Unchanged since the ETag sent; no body.", _CACHED, status=304)
    | problems(meaning=_FULL),
    openapi_extra={"parameters": [_IF_NONE_MATCH]},
)
async def jwks(request: Request, services: ServicesOf) -> Response:
    """Return every key that signs, will sign, or has lately signed (RFC 7517).

    Anyone may ask. A key is published for longer than `max-age` before it signs, and kept for longer than any
    token it signed, so a verifier that keeps the answer for `max-age` always has the key it needs.
    """
    body = json.dumps(services.keys.jwks(), separators=(",", ":")).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    sent = {"Cache-Control": f"public, max-age={services.jwks_max_age_seconds}", "ETag": etag}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=sent)
    return Response(body, media_type="application/json", headers=sent)


@router.get(
    "/oauth-authorization-server",
    summary="What this server can do",
    response_model=ServerMetadata,
    responses=success("The metadata.", headers({"Cache-Control": "Public"})) | problems(meaning=_FULL),
)
async def metadata(services: ServicesOf) -> JSONResponse:
    """Return the authorization server's metadata (RFC 8414 §2). Anyone may ask.

    Every URL in it follows `AUTHSVC_ISSUER`, never the Host header of the request.
    """
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
