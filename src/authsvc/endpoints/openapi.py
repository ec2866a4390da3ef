"""The OpenAPI document: what FastAPI knows of the endpoints, and what it cannot know."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from authsvc.endpoints.documented_answers import HEADERS
from authsvc.endpoints.examples import EXAMPLES
from authsvc.endpoints.introduction import DESCRIPTION, SUMMARY, TAGS
from authsvc.endpoints.schemas import OAuthErrorResponse, ProblemResponse

_SECURITY_SCHEMES: dict[str, object] = {
    "user": {
        "type": "oauth2",
        "description": "Log in as a user. Leave the client empty to be the client `public`.",
        # Relative, so that it works behind whatever name the page was opened under.
        "flows": {
            "password": {
                "tokenUrl": "token",
                "refreshUrl": "token",
                "scopes": {"account": "Manage the account: sessions and password."},
            }
        },
    },
    "client": {
        "type": "http",
        "scheme": "basic",
        "description": "A client's id and secret.",
    },
}


def describe(app: FastAPI) -> dict[str, object]:
    """Return the OpenAPI document of *app*; made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=SUMMARY,
            description=DESCRIPTION,
            routes=app.routes,
            tags=TAGS,
        )
        _drop_framework_errors(document)
        components = document.setdefault("components", {})
        components["securitySchemes"] = _SECURITY_SCHEMES
        components["headers"] = HEADERS
        for body in (OAuthErrorResponse, ProblemResponse):
            components["schemas"][body.__name__] = body.model_json_schema()
        for operations in document["paths"].values():
            for operation in operations.values():
                for example in EXAMPLES[operation["operationId"]]:
                    example.write_into(operation)
        app.openapi_schema = document
    return app.openapi_schema


def _drop_framework_errors(document: dict[str, Any]) -> None:
    """Take out the framework's own 422, which `error_responses` never lets out."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
