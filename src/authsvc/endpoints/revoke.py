"""POST /revoke (RFC 7009). What dies: `revocation.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from authsvc.endpoints.client_authentication import client_credentials
from authsvc.endpoints.documented_answers import oauth_errors
from authsvc.endpoints.error_responses import OAUTH
from authsvc.endpoints.form import form_body, form_of, require
from authsvc.endpoints.request_forms import TokenQueryForm
from authsvc.endpoints.schemas import RevocationResponse
from authsvc.endpoints.services import ServicesOf

router = APIRouter(tags=[OAUTH])


@router.post(
    "/revoke",
    summary="Revoke a token",
    response_model=RevocationResponse,
    response_description="Dead, or never alive, or another client's: an empty object in each case.",
    responses=oauth_errors(400, 401, 413, 415, 503),
    openapi_extra=form_body(TokenQueryForm, "token") | {"security": [{}, {"client": []}]},
)
async def revoke(
    request: Request, services: ServicesOf, form: Annotated[TokenQueryForm, Depends(form_of(TokenQueryForm))]
) -> Response:
    """Revoke a token of the asking client (RFC 7009).

    A refresh token ends its session, and every token of it is dead. An access token dies alone: its session
    goes on. A token that is unknown, dead already, or another client's is left alone; the answer is the same.

    A confidential client authenticates, by Basic or in the form; a public client names itself by `client_id`.
    """
    client = await services.clients.authenticate(client_credentials(request, form))
    require(form, "token")
    await services.revoker.revoke(form.token, client)
    return JSONResponse({}, headers={"Cache-Control": "no-store"})
