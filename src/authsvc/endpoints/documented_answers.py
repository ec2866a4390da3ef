"""What an endpoint may answer, for OpenAPI: each status with its meaning, its body and its headers."""

from collections.abc import Mapping

from pydantic import BaseModel

from authsvc.endpoints.schemas import OAuthErrorResponse, ProblemResponse

Answer = dict[str, object]
Answers = dict[int | str, Answer]

HEADERS: dict[str, Answer] = {
    "RetryAfter": {
        "description": "After how many seconds to try again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "Challenge": {
        "description": "How to authenticate; after a token that is not live, with `error`.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ScopeChallenge": {
        "description": "Where a token does not reach far enough: `insufficient_scope`, and the scope needed.",
        "schema": {"type": "string"},
    },
    "NoStore": {
        "description": "`no-store`: the answer is for whoever asked, now.",
        "required": True,
        "schema": {"type": "string", "const": "no-store"},
    },
    "NoCache": {
        "description": "The same, for caches of HTTP/1.0 (RFC 6749 §5.1).",
        "required": True,
        "schema": {"type": "string", "const": "no-cache"},
    },
    "Public": {
        "description": "`public, max-age=…`: how long everyone may keep it.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Send it as `If-None-Match`.",
        "required": True,
        "schema": {"type": "string"},
    },
}
"""The headers that more than one answer has, as components of the document."""

_OF_STATUS = {
    401: {"WWW-Authenticate": "Challenge"},
    403: {"WWW-Authenticate": "ScopeChallenge"},
    429: {"Retry-After": "RetryAfter"},
    503: {"Retry-After": "RetryAfter"},
}
_BODY = {
    413: "The body is over `AUTHSVC_MAX_BODY_KIB`.",
    415: "The body is no form (`application/x-www-form-urlencoded`) in UTF-8.",
    503: "A store cannot serve now; nothing was changed.",
}
_OAUTH = _BODY | {
    400: "A parameter is missing, sent twice, or broken (`invalid_request`).",
    401: "The client is unknown or disabled, its secret is wrong, or it did not authenticate.",
}
_PROBLEMS = _BODY | {
    400: "The form is broken, or a parameter is missing, sent twice, or not one of its values.",
    401: "The request carries no live access token.",
    403: "The access token is a client's own, or lacks the scope `account`.",
}


def success(description: str, headers: Mapping[str, object], *, status: int = 200) -> Answers:
    """Return the answer of a request that went well, for what the endpoint's model does not say."""
    return {status: {"description": description, "headers": headers}}


def oauth_errors(*statuses: int, meaning: Mapping[int, str] | None = None) -> Answers:
    """Return the errors of an OAuth endpoint; *meaning* says what some mean there, or adds them."""
    return _errors(OAuthErrorResponse, "application/json", statuses, _OAUTH, meaning or {})


def problems(*statuses: int, meaning: Mapping[int, str] | None = None) -> Answers:
    """Return the same of any other endpoint: problem details."""
    return _errors(ProblemResponse, "application/problem+json", statuses, _PROBLEMS, meaning or {})


def headers(components: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what documents these headers, each by the name of its component."""
    return {name: {"$ref": f"#/components/headers/{component}"} for name, component in components.items()}


def _errors(
    body: type[BaseModel],
    media_type: str,
    statuses: tuple[int, ...],
    usual: Mapping[int, str],
    meaning: Mapping[int, str],
) -> Answers:
    schema = {"$ref": f"#/components/schemas/{body.__name__}"}
    answers: Answers = {}
    for status in sorted({*statuses, *meaning}):
        answer: Answer = {
            "description": meaning.get(status) or usual[status],
            "content": {media_type: {"schema": schema}},
        }
        if status in _OF_STATUS:
            answer["headers"] = headers(_OF_STATUS[status])
        answers[status] = answer
    return answers
