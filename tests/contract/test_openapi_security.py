"""What Swagger UI makes of the OpenAPI document: how it authorises, and which fields it fills in."""

from typing import Any

import pytest

from tests.fixtures.service import Json, Service

FORM = "application/x-www-form-urlencoded"
FORMS = ["/login", "/token", "/refresh", "/logout", "/introspect", "/revoke", "/password"]


@pytest.fixture
async def document(service: Service) -> Json:
    return dict((await service.http.get("/openapi.json")).json())


def fields_of(document: Json, path: str) -> Json:
    schema: Any = document["paths"][path]["post"]["requestBody"]["content"][FORM]["schema"]
    return dict(schema["properties"])


async def test_users_authorise_by_the_password_flow_at_the_same_origin(document: Json) -> None:
    scheme = document["components"]["securitySchemes"]["user"]

    assert scheme["type"] == "oauth2"
    assert set(scheme["flows"]) == {"password"}
    assert scheme["flows"]["password"]["tokenUrl"] == "token"
    assert scheme["flows"]["password"]["refreshUrl"] == "token"


async def test_clients_authorise_by_basic(document: Json) -> None:
    scheme = document["components"]["securitySchemes"]["client"]

    assert (scheme["type"], scheme["scheme"]) == ("http", "basic")


@pytest.mark.parametrize("path", FORMS)
async def test_a_posted_body_is_a_form_and_nothing_else(document: Json, path: str) -> None:
    assert list(document["paths"][path]["post"]["requestBody"]["content"]) == [FORM]


@pytest.mark.parametrize("path", FORMS)
async def test_a_field_that_may_be_left_out_defaults_to_nothing(document: Json, path: str) -> None:
    """Without a default Swagger UI sends the word "string"."""
    schema: Any = document["paths"][path]["post"]["requestBody"]["content"][FORM]["schema"]
    optional = set(schema["properties"]) - set(schema.get("required", []))

    assert {name: fields_of(document, path)[name].get("default") for name in optional} == dict.fromkeys(
        optional, ""
    )


async def test_introspection_lists_basic_last_because_swagger_ui_sends_the_last(document: Json) -> None:
    schemes = [scheme for entry in document["paths"]["/introspect"]["post"]["security"] for scheme in entry]

    assert schemes[-1] == "client"


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("filled_in", ["scope", "client_id", "client_secret"])
async def test_what_is_offered_can_be_sent_empty(
    service: Service, document: Json, path: str, filled_in: str
) -> None:
    if filled_in not in fields_of(document, path):
        return
    honest = await service.post(path)

    response = await service.post(path, **{filled_in: ""})

    assert (response.status_code, response.content) == (honest.status_code, honest.content)
