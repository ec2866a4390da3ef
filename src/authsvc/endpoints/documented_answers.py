"""What an endpoint may answer, for OpenAPI: each status with its meaning, its body and its headers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import BaseModel

from authsvc.endpoints.error_responses import oauth_body, problem_body
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
_MEANINGS = {
    408: "The body did not come within `AUTHSVC_BODY_SECONDS`; the connection is closed.",
    413: "The body is over `AUTHSVC_MAX_BODY_KIB`.",
    415: "The body is no form (`application/x-www-form-urlencoded`) in UTF-8.",
    503: "A store cannot serve now, or too many requests are in work. Nothing was changed, unless only a "
    "store's answer was lost; asking again does no harm.",
}
_SHOWN = {
    408: ("invalid_request", "The body did not come in time."),
    413: ("invalid_request", "The body is over 64 KiB."),
    415: ("invalid_request", "Send the parameters as application/x-www-form-urlencoded in UTF-8."),
    503: ("temporarily_unavailable", "The database cannot be reached now."),
}
"""What is said to whoever sent the request, with the code that OAuth has for it."""


@dataclass(frozen=True)
class _Kind:
    """One of the two forms that errors have: what a status usually means there, and how some look."""

    body: type[BaseModel]
    media_type: str
    meanings: Mapping[int, str]
    shown: Mapping[int, Mapping[str, object]]

    def answers(self, statuses: Iterable[int], meaning: Mapping[int, str]) -> Answers:
        said = {*statuses, *meaning}
        # A body that may be too long may be too slow as well.
        if HTTPStatus.REQUEST_ENTITY_TOO_LARGE in said:
            said.add(HTTPStatus.REQUEST_TIMEOUT.value)
        return {status: self._answer(status, meaning) for status in sorted(said)}

    def _answer(self, status: int, meaning: Mapping[int, str]) -> Answer:
        content: dict[str, object] = {"schema": {"$ref": f"#/components/schemas/{self.body.__name__}"}}
        if status in self.shown:
            content["example"] = self.shown[status]
        answer: Answer = {
            "description": meaning.get(status) or self.meanings[status],
            "content": {self.media_type: content},
        }
        return answer | ({"headers": headers(_OF_STATUS[status])} if status in _OF_STATUS else {})


_OAUTH = _Kind(
    OAuthErrorResponse,
    "application/json",
    _MEANINGS
    | {
        400: "A parameter is missing, sent twice, or broken (`invalid_request`).",
        401: "The client is unknown or disabled, its secret is wrong, or it did not authenticate.",
    },
    {status: oauth_body(code, sentence) for status, (code, sentence) in _SHOWN.items()},
)
_PROBLEM = _Kind(
    ProblemResponse,
    "application/problem+json",
    _MEANINGS
    | {
        400: "The form is broken, or a parameter is missing, sent twice, or not one of its values.",
        401: "The request carries no live access token.",
        403: "The access token is a client's own, or lacks the scope `account`.",
    },
    {status: problem_body(status, sentence) for status, (_, sentence) in _SHOWN.items()},
)


def success(description: str, headers: Mapping[str, object], *, status: int = 200) -> Answers:
    """Return the answer of a request that went well, for what the endpoint's model does not say."""
    return {status: {"description": description, "headers": headers}}


def oauth_errors(*statuses: int, meaning: Mapping[int, str] | None = None) -> Answers:
    """Return the errors of an OAuth endpoint; *meaning* says what some mean there, or adds them."""
    return _OAUTH.answers(statuses, meaning or {})


def problems(*statuses: int, meaning: Mapping[int, str] | None = None) -> Answers:
    """Return the same of any other endpoint: problem details."""
    return _PROBLEM.answers(statuses, meaning or {})


def headers(components: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what documents these headers, each by the name of its component."""
    return {name: {"$ref": f"#/components/headers/{component}"} for name, component in components.items()}
