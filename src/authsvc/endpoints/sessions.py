"""GET /me, GET /sessions, DELETE /sessions/{id}: what a user may see and end of their own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from authsvc.endpoints.bearer import AccountManager, User
from authsvc.endpoints.problems import problems
from authsvc.endpoints.schemas import MeResponse, SessionResponse, SessionsResponse
from authsvc.endpoints.services import ServicesOf
from authsvc.errors import NotFound
from authsvc.scopes import format_scope

router = APIRouter(tags=["user"])

_BY_USER: dict[str, object] = {"security": [{"user": []}]}


@router.get("/me", summary="Who am I", responses=problems(401, 403, 503), openapi_extra=_BY_USER)
async def me(user: User) -> MeResponse:
    """Return the user behind the access token."""
    return MeResponse(
        sub=user.account_id,
        username=user.token.username or "",
        scope=format_scope(user.token.scope),
        client_id=user.token.client_id,
        session_id=user.session_id,
    )


@router.get(
    "/sessions",
    summary="List my live sessions",
    responses=problems(401, 403, 422, 503),
    openapi_extra=_BY_USER,
)
async def list_sessions(
    user: AccountManager,
    services: ServicesOf,
    after: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> SessionsResponse:
    """Return the account's live sessions, newest first."""
    page = await services.sessions.page(user.account_id, after=after, limit=limit + 1)
    shown = [
        SessionResponse(
            id=session.id,
            client_id=session.client_id,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            address=session.address,
            user_agent=session.user_agent,
            current=session.id == user.session_id,
        )
        for session in page[:limit]
    ]
    return SessionsResponse(sessions=shown, next=shown[-1].id if len(page) > limit else None)


@router.delete(
    "/sessions/{session_id}",
    summary="End one of my sessions",
    status_code=204,
    responses=problems(401, 403, 404, 503),
    openapi_extra=_BY_USER,
)
async def end_session(user: AccountManager, services: ServicesOf, session_id: str) -> Response:
    """End a session of the account; its tokens are dead with the answer."""
    try:
        wanted = UUID(session_id)
    except ValueError:
        wanted = None
    if wanted is None or not await services.sessions.end(wanted, reason="logout", account_id=user.account_id):
        raise NotFound("You have no such session.")
    return Response(status_code=204)
