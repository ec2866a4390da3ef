"""`authsvc openapi`: the API's description, from the code."""

from typing import Annotated

import typer
import yaml

from authsvc.app import build_app
from authsvc.cli.output import print_json
from authsvc.settings import Settings


def openapi(
    *, as_json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False
) -> None:
    """Print the OpenAPI description. It needs no configuration and no store.

    Example: `authsvc openapi > openapi.yaml`
    """
    settings = Settings(database_url="sqlite+aiosqlite://", secret_keys=("-" * 32,))  # type: ignore[arg-type] # read by its validators
    document = build_app(settings).openapi()
    if as_json:
        print_json(document)
    else:
        typer.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100), nl=False)
