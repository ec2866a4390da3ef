"""POST /introspect (RFC 7662). What is told of a token: `introspection.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from authsvc.clients import Client
from authsvc.endpoints.bearer import bearer_token
from authsvc.endpoints.client_authentication import client_credentials
from authsvc.endpoints.error_responses import OAUTH
from authsvc.endpoints.form import form_body, form_of, require
from authsvc.endpoints.schemas import IntrospectionResponse, OAuthErrorResponse, TokenQueryForm
from authsvc.endpoints.services import ServicesOf
from authsvc.endpoints.token_response import ERRORS
from authsvc.errors import InsufficientScope, InvalidBearerToken, InvalidClient
from authsvc.scopes import INTROSPECT
from authsvc.wiring import Services

router = APIRouter(tags=[OAUTH])

_FORBIDDEN: dict[int | str, dict[str, object]] = {
    403: {"model": OAuthErrorResponse, "description": "The Bearer token lacks the scope `introspect`."}
}


@router.post(
    "/introspect",
    summary="Ask whether a token is live",
    response_model=IntrospectionResponse,
    responses=ERRORS | _FORBIDDEN,
    # Swagger UI applies every scheme it has, and the last listed wins.
    openapi_extra=form_body(TokenQueryForm, "token") | {"security": [{"user": []}, {"client": []}]},
)
async def introspect(
    request: Request, services: ServicesOf, form: Annotated[TokenQueryForm, Depends(form_of(TokenQueryForm))]
) -> Response:
    """Describe a live token; of any other say `{"active": false}` and no more.

    A client with the permission to introspect sees every access token, others their own.
    """
    caller = await _caller(request, services, form)
    require(form, "token")
    described = await services.introspector.introspect(form.token, caller)
    return JSONResponse(described, headers={"Cache-Control": "no-store"})


async def _caller(request: Request, services: Services, form: TokenQueryForm) -> Client:
    presented = bearer_token(request)
    if presented is not None:
        return await _bearing_caller(presented, services)
    client = await services.clients.authenticate(client_credentials(request, form))
    if not client.is_confidential:
        raise InvalidClient("A public client cannot prove who it is, so it may not introspect.")
    return client


async def _bearing_caller(presented: str, services: Services) -> Client:
    facts = await services.verifier.verify(presented)
    if facts is None:
        raise InvalidBearerToken
    client = await services.clients.find(facts.client_id) if INTROSPECT in facts.scope else None
    if client is None or not client.may_introspect:
        raise InsufficientScope("Introspection needs a token with the scope 'introspect'.", scope=INTROSPECT)
    return client
