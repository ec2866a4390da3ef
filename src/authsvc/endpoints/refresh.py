"""POST /refresh. The rotation itself: `grants/refresh_token.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from authsvc.clients import ClientCredentials
from authsvc.endpoints.client_authentication import client_credentials
from authsvc.endpoints.error_responses import OAUTH
from authsvc.endpoints.form import form_body, form_of
from authsvc.endpoints.request_forms import RefreshForm
from authsvc.endpoints.schemas import TokenResponse
from authsvc.endpoints.services import ServicesOf
from authsvc.endpoints.token_response import ANSWERS, requested_scope, token_response
from authsvc.errors import InvalidGrant, UnsupportedGrantType
from authsvc.grants.issuing import IssuedTokens
from authsvc.wiring import Services

router = APIRouter(tags=[OAUTH])


@router.post(
    "/refresh",
    summary="Exchange a refresh token for new tokens",
    response_model=TokenResponse,
    responses=ANSWERS,
    openapi_extra=form_body(RefreshForm) | {"security": [{}, {"client": []}]},
)
async def refresh(
    request: Request, services: ServicesOf, form: Annotated[RefreshForm, Depends(form_of(RefreshForm))]
) -> Response:
    """Return the session's next refresh token and a fresh access token (RFC 6749 §6).

    Only the client that the refresh token was issued to may exchange it; a public one need not name itself.
    The session goes on and counts as used now. The access token from before stays good until it expires.

    The refresh token just replaced gives the *same* next one again for `AUTHSVC_REFRESH_OVERLAP_SECONDS`, so
    a lost answer or a second tab logs nobody out. After that, or if it is an older one, it is in two hands:
    `invalid_grant`, and **the session ends** with all its tokens. Any other refusal changes nothing.
    """
    if form.grant_type not in {"", "refresh_token"}:
        raise UnsupportedGrantType("/refresh knows the grant type refresh_token only; see /token.")
    issued = await exchange(services, client_credentials(request, form), form.refresh_token, form.scope)
    return token_response(issued)


async def exchange(
    services: Services, credentials: ClientCredentials, refresh_token: str, scope: str
) -> IssuedTokens:
    """Exchange a refresh token; a client that names nobody is the token's own, if that is public.

    Raises:
        InvalidGrant: the token is not good, or nobody was named and it is not ours.
        InvalidClient: authentication failed, or the token's client must authenticate.
        AuthError: as `RefreshTokenGrant.exchange`.
    """
    grant = services.refresh_token_grant
    presented = grant.handles.open(refresh_token)
    found = None if presented is None else grant.recall(presented)
    if credentials.names_nobody:
        found = found or await grant.find_genuine(presented)
        if found is None:
            raise InvalidGrant("The refresh token is expired, revoked, already used or not known.")
        credentials = ClientCredentials([(found.session.client_id, "")])
    # A scope that is asked for may have to be refused, and by memory nobody is.
    if presented is not None and found is not None and found.is_remembered and not scope:
        copy = services.clients.recall(credentials)
        if copy is not None:
            issued = await grant.exchange_as_remembered(copy, presented, found)
            if issued is not None:
                return issued
            found = None
    client = await services.clients.authenticate(credentials)
    return await grant.exchange(client, presented, scope=requested_scope(scope), found=found)
