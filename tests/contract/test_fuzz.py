"""A short run of what `make fuzz` does at length: requests made up from the OpenAPI document, all checked."""

from tests.fixtures.installation import Installation
from tests.fixtures.service import PASSWORD, USERNAME
from tests.fuzz.asking import ask


def test_no_made_up_request_gets_an_answer_that_the_document_does_not_name(embedded: Installation) -> None:
    embedded.add_account()
    client = embedded.add_client("--confidential", "--introspect")
    server = embedded.start("serve").wait_until_serving()
    people = {"username": USERNAME, "password": PASSWORD}
    people |= {name: client[name] for name in ("client_id", "client_secret")}

    asked = ask(
        server.url, people, "--max-examples", "3", "--seed", "1", "--phases", "examples,coverage,fuzzing"
    )

    assert asked.is_well, asked.report
    assert asked.cases > 200, asked.report
    assert "Traceback" not in server.stderr
