"""POST /password. The change itself: `accounts.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from authsvc.endpoints.bearer import AccountManager
from authsvc.endpoints.form import form_body, form_of
from authsvc.endpoints.problems import problems
from authsvc.endpoints.schemas import PasswordForm
from authsvc.endpoints.services import ServicesOf

router = APIRouter(tags=["user"])


@router.post(
    "/password",
    summary="Change my password",
    status_code=204,
    responses=problems(400, 401, 403, 413, 415, 422, 429, 503),
    openapi_extra=form_body(PasswordForm) | {"security": [{"user": []}]},
)
async def change_password(
    user: AccountManager,
    services: ServicesOf,
    form: Annotated[PasswordForm, Depends(form_of(PasswordForm))],
) -> Response:
    """Replace the password, and end every other session of the account."""
    await services.accounts.change_password(
        user.account_id, current=form.current_password, new=form.new_password, keep=user.session_id
    )
    return Response(status_code=204)
