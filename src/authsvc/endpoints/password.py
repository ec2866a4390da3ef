"""POST /password. The change itself: `accounts.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from authsvc.endpoints.bearer import AccountManager
from authsvc.endpoints.documented_answers import problems
from authsvc.endpoints.form import form_body, form_of
from authsvc.endpoints.request_forms import PasswordForm
from authsvc.endpoints.services import ServicesOf
from authsvc.endpoints.token_response import origin_of

router = APIRouter(tags=["user"])


@router.post(
    "/password",
    summary="Change my password",
    status_code=204,
    response_description="The password is the new one; the user's other sessions have ended.",
    responses=problems(
        400,
        401,
        413,
        415,
        meaning={
            403: "The current password is wrong; or the access token is a client's own, or lacks the scope "
            "`account`.",
            422: "The new password is too short, too long, holds control characters, or is easy to guess: "
            "common, or little more than the account's name. `detail` says which.",
            429: "Too many attempts with this account or from this address.",
            503: "A store or the hashing queue cannot serve now. Nothing was changed, unless only the "
            "database's answer was lost: then the new password is in force.",
        },
    ),
    openapi_extra=form_body(PasswordForm) | {"security": [{"user": []}]},
)
async def change_password(
    request: Request,
    user: AccountManager,
    services: ServicesOf,
    form: Annotated[PasswordForm, Depends(form_of(PasswordForm))],
) -> Response:
    """Replace the user's password, and end every session of theirs but this one.

    The access token needs the scope `account`, and the form the password as it is now. This session and its
    tokens are kept. When the answer is there, no check on any instance calls a token of the others live. A
    refusal changes nothing.
    """
    await services.accounts.change_password(
        user.account_id,
        current=form.current_password,
        new=form.new_password,
        keep=user.session_id,
        origin=origin_of(request),
    )
    return Response(status_code=204)
