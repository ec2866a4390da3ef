"""POST /login. The login itself: `grants/password.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from authsvc.audit import Origin
from authsvc.clients import ClientCredentials
from authsvc.endpoints.client_authentication import client_credentials
from authsvc.endpoints.error_responses import OAUTH
from authsvc.endpoints.form import form_body, form_of
from authsvc.endpoints.request_forms import LoginForm
from authsvc.endpoints.schemas import TokenResponse
from authsvc.endpoints.services import ServicesOf
from authsvc.endpoints.token_response import ANSWERS, origin_of, requested_scope, token_response
from authsvc.errors import UnsupportedGrantType
from authsvc.grants.issuing import IssuedTokens
from authsvc.wiring import Services

router = APIRouter(tags=[OAUTH])


@router.post(
    "/login",
    summary="Log in with a username and a password",
    response_model=TokenResponse,
    responses=ANSWERS,
    openapi_extra=form_body(LoginForm) | {"security": [{}, {"client": []}]},
)
async def login(
    request: Request, services: ServicesOf, form: Annotated[LoginForm, Depends(form_of(LoginForm))]
) -> Response:
    """Start a session and return an access token and a refresh token (RFC 6749 §4.3).

    Anyone may call it with an account's name and password, through any client that has the grant `password`;
    without a client the request is made as the client `public`. A confidential client must authenticate, by
    Basic or in the form.

    Each login adds one session. The account's other sessions go on, but for the oldest where there are more
    than `AUTHSVC_SESSIONS_PER_ACCOUNT`: that one ends. A refusal changes nothing, and says the same of an
    unknown name and of a wrong password.
    """
    if form.grant_type not in {"", "password"}:
        raise UnsupportedGrantType("/login knows the grant type password only; see /token.")
    issued = await exchange(
        services,
        client_credentials(request, form),
        form.username,
        form.password,
        form.scope,
        origin_of(request),
    )
    return token_response(issued)


async def exchange(
    services: Services,
    credentials: ClientCredentials,
    username: str,
    password: str,
    scope: str,
    origin: Origin,
) -> IssuedTokens:
    """Log in through the client that is named, or through the public one.

    Raises:
        AuthError: as `Clients.authenticate` and `PasswordGrant.exchange`.
    """
    services.hasher.expect_turn()  # before any store is asked: those who are refused come again and again
    client = await services.clients.named_or_public(credentials)
    return await services.password_grant.exchange(
        client, username=username, password=password, scope=requested_scope(scope), origin=origin
    )
