"""POST /introspect (RFC 7662). What is told of a token: `introspection.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from authsvc.clients import Client
from authsvc.endpoints.bearer import bearer_token
from authsvc.endpoints.client_authentication import client_credentials
from authsvc.endpoints.documented_answers import headers, oauth_errors, success
from authsvc.endpoints.error_responses import OAUTH
from authsvc.endpoints.form import form_body, form_of, require
from authsvc.endpoints.request_forms import TokenQueryForm
from authsvc.endpoints.schemas import IntrospectionResponse
from authsvc.endpoints.services import ServicesOf
from authsvc.errors import InsufficientScope, InvalidBearerToken, InvalidClient
from authsvc.scopes import INTROSPECT
from authsvc.wiring import Services

router = APIRouter(tags=[OAUTH])

_ANSWERS = success(
    "What the token is, if it is live and the caller may see it; of any other `active` alone.",
    headers({"Cache-Control": "NoStore"}),
) | oauth_errors(
    400,
    413,
    415,
    503,
    meaning={
        401: "`invalid_client`: the caller is unknown, its secret is wrong, or it did not authenticate. "
        "`invalid_token`: its Bearer token is not live.",
        403: "`insufficient_scope`: the caller's Bearer token lacks the scope `introspect`.",
    },
)


@router.post(
    "/introspect",
    summary="Ask whether a token is live",
    response_model=IntrospectionResponse,
    responses=_ANSWERS,
    # Swagger UI applies every scheme it has, and the last listed wins.
    openapi_extra=form_body(TokenQueryForm, "token") | {"security": [{"user": []}, {"client": []}]},
)
async def introspect(
    request: Request, services: ServicesOf, form: Annotated[TokenQueryForm, Depends(form_of(TokenQueryForm))]
) -> Response:
    """Describe a live token; of any other say `{"active": false}` and no more (RFC 7662).

    The caller is a confidential client that authenticates by Basic or in the form, or one that sends an
    access token of its own with the scope `introspect`. With the permission to introspect it sees every
    access token, without it those issued to itself; a refresh token is described to its own client only.

    It changes nothing. An answer is true of the moment of the question: ask again with every request that you
    serve, or keep it and be as late as you keep it.
    """
    caller = await _caller(request, services, form)
    require(form, "token")
    described = await services.introspector.introspect(form.token, caller)
    return Response(described, headers={"Cache-Control": "no-store"}, media_type="application/json")


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
