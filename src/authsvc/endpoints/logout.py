"""POST /logout. Ending a session: `revocation.py`, `sessions.py`."""

from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from authsvc.endpoints.bearer import bearer_token
from authsvc.endpoints.client_authentication import client_credentials
from authsvc.endpoints.documented_answers import problems
from authsvc.endpoints.form import form_body, form_of
from authsvc.endpoints.request_forms import LogoutForm
from authsvc.endpoints.services import ServicesOf
from authsvc.errors import InsufficientScope, InvalidBearerToken, InvalidRequest, MissingBearerToken
from authsvc.revocation import LogoutScope
from authsvc.wiring import Services

router = APIRouter(tags=["user"])


@router.post(
    "/logout",
    summary="Log out",
    status_code=204,
    response_description="The sessions have ended, or had ended before; their tokens are dead.",
    responses=problems(
        400,
        413,
        415,
        503,
        meaning={
            401: "There is no access token or refresh token, or none of this service's; or the client of the "
            "refresh token did not authenticate.",
            403: "The access token is a client's own, or lacks the scope `account` that `others` and `all` "
            "need; or a refresh token was to end more than its own session.",
        },
    ),
    openapi_extra=form_body(LogoutForm) | {"security": [{"user": []}, {}]},
)
async def logout(
    request: Request, services: ServicesOf, form: Annotated[LogoutForm, Depends(form_of(LogoutForm))]
) -> Response:
    """End the session of the access token, or of the refresh token in the form once that has expired.

    A user calls it, with either token of a session; with a refresh token of a confidential client that client
    must authenticate. `scope=session`, the default, ends this session; `scope=others` ends the user's other
    sessions and keeps this one, `scope=all` ends every one. The last two need a live access token with the
    scope `account`.

    When the answer is there, no check on any instance calls a token of an ended session live. Logging out
    twice is 204 twice, until the access token expires.
    """
    scope = _scope(form.scope)
    presented = bearer_token(request)
    if presented is None and not form.refresh_token:
        raise MissingBearerToken
    if presented is not None and await _by_access_token(services, presented, scope, form):
        return Response(status_code=204)
    if form.refresh_token:
        await _by_refresh_token(request, services, scope, form)
        return Response(status_code=204)
    raise InvalidBearerToken


async def _by_access_token(services: Services, presented: str, scope: LogoutScope, form: LogoutForm) -> bool:
    try:
        return await services.revoker.log_out(presented, scope=scope)
    except InvalidBearerToken:
        if form.refresh_token:
            return False
        raise


async def _by_refresh_token(
    request: Request, services: Services, scope: LogoutScope, form: LogoutForm
) -> None:
    if scope != "session":
        raise InsufficientScope("A refresh token ends its own session only.")
    # The Authorization header may still carry the expired access token.
    credentials = client_credentials(request, form)
    if not await services.revoker.log_out_by_refresh_token(form.refresh_token, credentials):
        raise InvalidBearerToken


def _scope(text: str) -> LogoutScope:
    for scope in get_args(LogoutScope):
        if text in {scope, "" if scope == "session" else scope}:
            return scope  # type: ignore[no-any-return] # one of the literals
    raise InvalidRequest("scope is session, others or all.")
