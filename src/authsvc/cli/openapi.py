"""`authsvc openapi`: the API's description, from the code."""

from typing import Annotated

import typer
import yaml

from authsvc.app import build_app
from authsvc.cli.output import print_json


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as it reads, and never refers back to what it has written already."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the library's signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


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
        printed = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
        typer.echo(printed, nl=False)
