"""The problem details an endpoint may answer with, for OpenAPI (RFC 9457)."""

from http import HTTPStatus

from authsvc.endpoints.schemas import ProblemResponse


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return the documentation of these statuses."""
    schema = {"$ref": f"#/components/schemas/{ProblemResponse.__name__}"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }
