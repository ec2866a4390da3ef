"""What a user may see and change."""

from authsvc.demo_credentials import DEMO_PASSWORD
from authsvc.endpoints.error_responses import problem_body
from authsvc.endpoints.examples.example import (
    BY_CLIENT_TOKEN,
    BY_USER,
    DEAD_TOKEN,
    REFRESH_TOKEN,
    SESSION_ID,
    Example,
)
from authsvc.endpoints.examples.values import SESSION, SESSION_SHOWN, USER

NO_TOKEN = problem_body(401, "Send an access token in the header 'Authorization: Bearer TOKEN'.")
NOT_LIVE = problem_body(401, "The access token is expired, revoked or not known.")
_CLIENTS_OWN = problem_body(403, "This token is a client's own; a user's is needed.")

_NO_TOKEN = Example("no_token", "No access token", 401, NO_TOKEN)
_DEAD = Example("dead", "Expired, revoked or unknown", 401, NOT_LIVE, authorization=DEAD_TOKEN)
_OF_CLIENT = Example("of_client", "A client's own token", 403, _CLIENTS_OWN, authorization=BY_CLIENT_TOKEN)

LOGOUT = (
    Example("session", "This session", 204, form={}, authorization=BY_USER),
    Example("others", "All others", 204, form={"scope": "others"}, authorization=BY_USER),
    Example("all", "Every session", 204, form={"scope": "all"}, authorization=BY_USER),
    Example("refresh_token", "By the refresh token", 204, form={"refresh_token": REFRESH_TOKEN}),
    Example(
        "unknown_scope",
        "A scope that is not known",
        400,
        problem_body(400, "scope is session, others or all."),
        form={"scope": "some"},
        authorization=BY_USER,
    ),
    Example("no_token", "Neither token", 401, NO_TOKEN, form={}),
    Example("dead", "A token that never lived", 401, NOT_LIVE, form={}, authorization=DEAD_TOKEN),
    Example(
        "of_client",
        "A client's own token",
        403,
        problem_body(403, "This token is a client's own; there is no user to log out."),
        form={},
        authorization=BY_CLIENT_TOKEN,
    ),
)

ME = (Example("demo", "The demo account", 200, USER, authorization=BY_USER), _NO_TOKEN, _DEAD, _OF_CLIENT)

LIST_SESSIONS = (
    Example("all", "All of them", 200, {"sessions": [SESSION_SHOWN], "next": None}, authorization=BY_USER),
    Example(
        "first_page",
        "The newest, and where the next page begins",
        200,
        {"sessions": [SESSION_SHOWN], "next": SESSION},
        parameters={"limit": "1"},
        authorization=BY_USER,
    ),
    Example(
        "next_page",
        "The page after a session",
        200,
        {"sessions": [SESSION_SHOWN | {"current": False}], "next": None},
        parameters={"after": SESSION_ID},
        authorization=BY_USER,
    ),
    _NO_TOKEN,
    _DEAD,
    _OF_CLIENT,
    Example(
        "no_limit",
        "A limit that is none",
        422,
        problem_body(422, "Not acceptable: limit."),
        parameters={"limit": "0"},
        authorization=BY_USER,
    ),
)

END_SESSION = (
    Example("one", "One of the sessions", 204, parameters={"session_id": SESSION_ID}, authorization=BY_USER),
    Example("no_token", "No access token", 401, NO_TOKEN, parameters={"session_id": SESSION_ID}),
    Example(
        "of_client",
        "A client's own token",
        403,
        _CLIENTS_OWN,
        parameters={"session_id": SESSION_ID},
        authorization=BY_CLIENT_TOKEN,
    ),
    Example(
        "unknown",
        "Unknown, ended already, or another user's",
        404,
        problem_body(404, "You have no such session."),
        parameters={"session_id": SESSION},
        authorization=BY_USER,
    ),
)

PASSWORD = (
    Example(
        "same",
        "The same again, so that the demo account keeps it; the other sessions end",
        204,
        form={"current_password": DEMO_PASSWORD, "new_password": DEMO_PASSWORD},
        authorization=BY_USER,
    ),
    Example(
        "no_new_password",
        "A parameter is missing",
        400,
        problem_body(400, "Missing: new_password."),
        form={"current_password": DEMO_PASSWORD},
        authorization=BY_USER,
    ),
    Example(
        "no_token",
        "No access token",
        401,
        NO_TOKEN,
        form={"current_password": DEMO_PASSWORD, "new_password": DEMO_PASSWORD},
    ),
    Example(
        "wrong_password",
        "The current password is another",
        403,
        problem_body(403, "The current password is wrong."),
        form={"current_password": "not the password", "new_password": DEMO_PASSWORD},
        authorization=BY_USER,
    ),
    Example(
        "too_short",
        "A new password that is too short",
        422,
        problem_body(422, "A password has 15 to 1,024 characters; this one has 5."),
        form={"current_password": DEMO_PASSWORD, "new_password": "short"},
        authorization=BY_USER,
    ),
)
