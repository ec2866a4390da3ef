"""`authsvc openapi`: the API's description, from the code."""

from typing import Annotated

import typer
import yaml

from authsvc.app import build_app
from authsvc.cli.output import print_json


def openapi(
    *, as_json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False
) -> None:
    """Print the OpenAPI description. It needs no configuration and no store.

    Example: `authsvc openapi > openapi.yaml`
    """
    document = build_app().openapi()
    if as_json:
        print_json(document)
    else:
        typer.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100), nl=False)
