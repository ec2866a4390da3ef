"""POST /token: the one URL that off-the-shelf clients use. Each grant: `grants/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from authsvc.endpoints import login, refresh
from authsvc.endpoints.client_authentication import client_credentials
from authsvc.endpoints.error_responses import OAUTH
from authsvc.endpoints.form import form_body, form_of, require
from authsvc.endpoints.request_forms import TokenForm
from authsvc.endpoints.schemas import TokenResponse
from authsvc.endpoints.services import ServicesOf
from authsvc.endpoints.token_response import ANSWERS, origin_of, requested_scope, token_response
from authsvc.errors import InvalidClient, UnsupportedGrantType
from authsvc.grants.issuing import IssuedTokens
from authsvc.wiring import Services

router = APIRouter(tags=[OAUTH])


@router.post(
    "/token",
    summary="Exchange a grant for tokens",
    response_model=TokenResponse,
    responses=ANSWERS,
    openapi_extra=form_body(TokenForm) | {"security": [{}, {"client": []}]},
)
async def token(
    request: Request, services: ServicesOf, form: Annotated[TokenForm, Depends(form_of(TokenForm))]
) -> Response:
    """Do what `grant_type` says (RFC 6749 §4.3, §6, §4.4); off-the-shelf OAuth clients need only this URL.

    - `password` starts a session, as `POST /login` does, and needs `username` and `password`;
    - `refresh_token` rotates the refresh token of a session, as `POST /refresh` does, and needs
      `refresh_token`;
    - `client_credentials` issues an access token that is the client's own, without a session and without a
      refresh token. The client must be confidential and authenticate, by Basic or in the form.

    A client may use the grants that it was registered with. A scope that it may not have is refused, never
    silently left out.
    """
    match form.grant_type:
        case "password":
            issued = await _password(request, services, form)
        case "refresh_token":
            issued = await _refresh_token(request, services, form)
        case "client_credentials":
            issued = await _client_credentials(request, services, form)
        case _:
            raise UnsupportedGrantType("Known grant types: password, refresh_token, client_credentials.")
    return token_response(issued)


async def _password(request: Request, services: Services, form: TokenForm) -> IssuedTokens:
    require(form, "username", "password")
    credentials = client_credentials(request, form)
    return await login.exchange(
        services, credentials, form.username, form.password, form.scope, origin_of(request)
    )


async def _refresh_token(request: Request, services: Services, form: TokenForm) -> IssuedTokens:
    require(form, "refresh_token")
    return await refresh.exchange(services, client_credentials(request, form), form.refresh_token, form.scope)


async def _client_credentials(request: Request, services: Services, form: TokenForm) -> IssuedTokens:
    credentials = client_credentials(request, form)
    if credentials.names_nobody:
        raise InvalidClient("The grant client_credentials needs the client's authentication.")
    client = await services.clients.authenticate(credentials)
    return await services.client_credentials_grant.exchange(client, scope=requested_scope(form.scope))
