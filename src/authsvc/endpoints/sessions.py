"""GET /me, GET /sessions, DELETE /sessions/{id}: what a user may see and end of their own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import Path as PathParameter
from starlette.responses import Response

from authsvc.endpoints.bearer import AccountManager, User
from authsvc.endpoints.documented_answers import problems
from authsvc.endpoints.schemas import MeResponse, SessionResponse, SessionsResponse
from authsvc.endpoints.services import ServicesOf
from authsvc.errors import NotFound
from authsvc.scopes import format_scope

router = APIRouter(tags=["user"])

_BY_USER: dict[str, object] = {"security": [{"user": []}]}


@router.get(
    "/me",
    summary="Who am I",
    response_description="The user, as the access token tells.",
    responses=problems(401, 503, meaning={403: "The access token is a client's own: there is no user."}),
    openapi_extra=_BY_USER,
)
async def me(user: User) -> MeResponse:
    """Return the user behind the access token, whatever its scope. It changes nothing."""
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
    response_description="A page of them.",
    responses=problems(
        401, 403, 503, meaning={422: "`after` is no id, or `limit` is not between 1 and 100."}
    ),
    openapi_extra=_BY_USER,
)
async def list_sessions(
    user: AccountManager,
    services: ServicesOf,
    after: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
) -> SessionsResponse:
    """Return the user's live sessions, newest first, those through other clients too.

    The access token needs the scope `account`. It changes nothing.
    """
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
    response_description="The session has ended; its tokens are dead.",
    responses=problems(
        401, 403, 503, meaning={404: "No live session of this user has that id; nothing was changed."}
    ),
    openapi_extra=_BY_USER,
)
async def end_session(
    user: AccountManager,
    services: ServicesOf,
    session_id: Annotated[str, PathParameter(description="`id` of one of `GET /sessions`.")],
) -> Response:
    """End one session of the user, this one or another; the others are kept.

    The access token needs the scope `account`. When the answer is there, no check on any instance calls a
    token of the ended session live.
    """
    try:
        wanted = UUID(session_id)
    except ValueError:
        wanted = None
    if wanted is None or not await services.sessions.end(wanted, reason="logout", account_id=user.account_id):
        raise NotFound("You have no such session.")
    return Response(status_code=204)
