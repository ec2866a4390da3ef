"""`openapi.yaml` is what the service says of itself today."""

from pathlib import Path

from tests.fixtures.command import run_here


def test_the_file_is_what_the_service_generates(repository: Path) -> None:
    generated = run_here("openapi", settings={}).text()

    assert (repository / "openapi.yaml").read_text() == generated, "run: make openapi"
