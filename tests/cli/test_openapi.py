"""`authsvc openapi`: the API's description, from the code, on a machine where nothing is set up."""

import yaml

from tests.fixtures.command import run_here


def test_it_needs_no_setting_and_prints_yaml_and_nothing_else() -> None:
    printed = run_here("openapi", settings={}).text()

    document = yaml.safe_load(printed)
    assert document["info"]["title"] == "authsvc"
    assert "/introspect" in document["paths"]
    assert printed.endswith("\n")


def test_json_is_the_same_document() -> None:
    as_yaml = run_here("openapi", settings={}).text()

    assert run_here("openapi", "--json", settings={}).json() == yaml.safe_load(as_yaml)


def test_it_looks_at_no_setting_at_all() -> None:
    plain = run_here("openapi", settings={}).text()

    settings = {"AUTHSVC_ISSUER": "https://auth.example.com", "AUTHSVC_DATABASE_URL": "nonsense"}

    assert run_here("openapi", settings=settings).text() == plain
