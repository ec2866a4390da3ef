"""The OpenAPI document: security schemes, and the bodies that only errors have."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from authsvc.endpoints.schemas import ProblemResponse

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
            summary=app.summary,
            description=app.description,
            routes=app.routes,
        )
        _drop_framework_errors(document)
        components = document.setdefault("components", {})
        components["securitySchemes"] = _SECURITY_SCHEMES
        components["schemas"][ProblemResponse.__name__] = ProblemResponse.model_json_schema()
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
