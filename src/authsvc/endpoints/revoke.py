"""POST /revoke (RFC 7009). What dies: `revocation.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from authsvc.endpoints.client_authentication import client_credentials
from authsvc.endpoints.error_responses import OAUTH
from authsvc.endpoints.form import form_body, form_of, require
from authsvc.endpoints.schemas import TokenQueryForm
from authsvc.endpoints.services import ServicesOf
from authsvc.endpoints.token_response import ERRORS

router = APIRouter(tags=[OAUTH])


@router.post(
    "/revoke",
    summary="Revoke a token",
    response_description="Dead, or never alive: an empty object either way.",
    responses=ERRORS,
    openapi_extra=form_body(TokenQueryForm, "token") | {"security": [{"client": []}]},
)
async def revoke(
    request: Request, services: ServicesOf, form: Annotated[TokenQueryForm, Depends(form_of(TokenQueryForm))]
) -> Response:
    """Revoke a token of the asking client: a refresh token ends its session, an access token dies alone.

    A public client names itself by `client_id`.
    """
    client = await services.clients.authenticate(client_credentials(request, form))
    require(form, "token")
    await services.revoker.revoke(form.token, client)
    return JSONResponse({}, headers={"Cache-Control": "no-store"})
