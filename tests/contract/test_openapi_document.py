"""The OpenAPI document leaves nothing unsaid: what happens, what is sent, what comes back."""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.fixtures.documented import Json, Operation, generated, operations

DOCUMENT = generated()
OPERATIONS = {operation.id: operation for operation in operations(DOCUMENT)}
ALWAYS_ANSWERED = {"healthz", "read_metrics"}
ERROR_BODIES = {
    "application/json": "#/components/schemas/OAuthErrorResponse",
    "application/problem+json": "#/components/schemas/ProblemResponse",
}

each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


def errors(operation: Operation) -> Iterator[int]:
    """The errors of *operation*; what /readyz says of the stores is its answer, whatever the status."""
    yield from (status for status in operation.statuses if status >= 400 and operation.id != "readyz")


def fields(schema: Json) -> Json:
    found: Json = schema.get("properties", {})
    return found


def test_it_is_valid_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


@each_operation
def test_an_operation_says_what_happens(operation: Operation) -> None:
    assert operation.details["summary"]
    assert len(operation.details["description"]) > 60
    assert operation.details["description"] != operation.details["summary"]
    assert set(operation.details["tags"]) <= {tag["name"] for tag in DOCUMENT["tags"] if tag["description"]}


@each_operation
def test_every_parameter_and_every_field_of_a_form_is_described(operation: Operation) -> None:
    for parameter in operation.details.get("parameters", []):
        assert parameter.get("description"), parameter["name"]
    form = operation.form
    for name, field in fields(form["schema"] if form else {}).items():
        assert field.get("description"), name


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_member_of_a_body_is_described(name: str) -> None:
    schema: Any = DOCUMENT["components"]["schemas"][name]

    assert schema["description"]
    assert [member for member, said in fields(schema).items() if not said.get("description")] == []


@each_operation
def test_every_answer_says_what_it_means_and_what_it_holds(operation: Operation) -> None:
    for status in operation.statuses:
        assert operation.answer(status)["description"] != "Successful Response", status
        assert (operation.body(status) is None) == (
            status in {204, 304} or (operation.id == "verify" and status == 200)
        )


@each_operation
def test_every_error_has_the_body_of_its_kind(operation: Operation) -> None:
    speaks = "application/json" if operation.details["tags"] == ["oauth"] else "application/problem+json"

    for status in errors(operation):
        body = operation.body(status)
        assert body is not None
        assert (body[0], body[1]["schema"]) == (speaks, {"$ref": ERROR_BODIES[speaks]}), status


@each_operation
def test_an_error_names_the_header_that_says_how_to_go_on(operation: Operation) -> None:
    for status in errors(operation):
        named = set(operation.headers(status))
        assert ("www-authenticate" in named) == (status in {401, 403}), status
        assert ("retry-after" in named) == (status in {429, 503}), status


@each_operation
def test_all_but_the_probes_that_ask_no_store_say_that_it_may_be_too_much_now(operation: Operation) -> None:
    assert (503 in operation.statuses) == (operation.id not in ALWAYS_ANSWERED)


@each_operation
def test_whatever_reads_a_form_says_what_is_no_form(operation: Operation) -> None:
    of_a_form = {400, 408, 413, 415}

    assert operation.statuses & of_a_form == (of_a_form if operation.form else set())


@each_operation
def test_whatever_takes_a_token_says_what_a_dead_one_gets(operation: Operation) -> None:
    schemes = {scheme for entry in operation.details.get("security", []) for scheme in entry}

    assert (401 in operation.statuses) == bool(schemes)
    assert "user" not in schemes or 403 in operation.statuses
