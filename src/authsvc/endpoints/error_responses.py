"""The only place where an exception becomes a response.

Routes tagged `oauth` answer RFC 6749 §5.2 bodies, all others problem details (RFC 9457).
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from authsvc.errors import (
    AuthError,
    BearerError,
    BodyTooSlow,
    InsufficientScope,
    InvalidClient,
    OAuthError,
    Refusal,
    RetryLater,
)

_log = structlog.stdlib.get_logger("authsvc.request")

Handler = Callable[[Request, Exception], Response]
AsyncHandler = Callable[[Request, Exception], Awaitable[Response]]

OAUTH = "oauth"
"""The tag of routes that answer in the form of RFC 6749."""

_REALM = 'realm="authsvc"'
# As RFC 9110 calls them; Python does so since 3.13 only.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


def install(app: FastAPI) -> None:
    """Let *app* answer with these."""
    app.add_exception_handler(AuthError, _here(answer))
    app.add_exception_handler(RequestValidationError, _here(_invalid))
    app.add_exception_handler(HTTPException, _here(_not_served))


def _here(handler: Handler) -> AsyncHandler:
    """Return *handler* as a coroutine: the framework calls a plain function in another thread."""

    async def answer_here(request: Request, error: Exception) -> Response:
        return handler(request, error)

    return answer_here


def refusal(error: Refusal, *, speaks_oauth: bool) -> Response:
    """Return the answer to a request that no route has been found for yet."""
    headers = _headers_of(error)
    return _oauth(error, headers) if speaks_oauth else problem(error.status, error.description, headers)


def unexpected() -> Response:
    """Log the error that is being handled, which nobody foresaw, and return what is said of it: nothing."""
    _log.exception("unexpected_error")
    return problem(500, "Something went wrong here.")


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return problem details (RFC 9457)."""
    return JSONResponse(problem_body(status, detail), status, headers, media_type="application/problem+json")


def problem_body(status: int, detail: str) -> dict[str, object]:
    """Return the members of problem details."""
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def oauth_body(code: str, description: str) -> dict[str, object]:
    """Return the members of an OAuth error."""
    return {"error": code, "error_description": description}


def answer(request: Request, error: Exception) -> Response:
    """Return the answer to a request that its route has refused."""
    if not isinstance(error, AuthError):
        raise error
    headers = _headers_of(error)
    if isinstance(error, InvalidClient):
        headers["WWW-Authenticate"] = _client_challenge(request)
    if _speaks_oauth(request):
        return _oauth(error, headers)
    return problem(error.status, error.description, headers)


def _oauth(error: AuthError, headers: dict[str, str]) -> Response:
    if isinstance(error, OAuthError | BearerError):
        code = error.code or "invalid_token"
    elif isinstance(error, RetryLater):
        code = "temporarily_unavailable"
    else:
        code = "invalid_request"
    return JSONResponse(oauth_body(code, error.description), error.status, headers | {"Pragma": "no-cache"})


def _headers_of(error: AuthError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, RetryLater):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, BearerError):
        headers["WWW-Authenticate"] = _bearer_challenge(error)
    if isinstance(error, BodyTooSlow):  # what still comes is no next request
        headers["Connection"] = "close"
    return headers


def _client_challenge(request: Request) -> str:
    # RFC 6749 §5.2 asks for the challenge where Basic was tried; RFC 9110 §15.5.2 on every 401.
    if not _speaks_oauth(request):  # a user's endpoint: either would do (RFC 9110 §11.6.1)
        return f"Bearer {_REALM}, Basic {_REALM}"
    scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
    return f"{'Bearer' if scheme == 'bearer' else 'Basic'} {_REALM}"


def _bearer_challenge(error: BearerError) -> str:
    parts = [_REALM]
    if error.code is not None:
        parts += [f'error="{error.code}"', f'error_description="{error.description}"']
    if isinstance(error, InsufficientScope) and error.scope:
        parts.append(f'scope="{error.scope}"')
    return "Bearer " + ", ".join(parts)


def _invalid(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the handler's signature
    # The framework's own answer would repeat the rejected input, which may be a password.
    if not isinstance(error, RequestValidationError):
        raise error
    names = sorted({str(detail["loc"][-1]) for detail in error.errors()})
    return problem(422, f"Not acceptable: {', '.join(names)}.")


def _not_served(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the handler's signature
    if not isinstance(error, HTTPException):
        raise error
    return problem(
        error.status_code,
        HTTPStatus(error.status_code).description or "Not served.",
        dict(error.headers or {}),
    )


def _speaks_oauth(request: Request) -> bool:
    return OAUTH in getattr(request.scope.get("route"), "tags", [])
