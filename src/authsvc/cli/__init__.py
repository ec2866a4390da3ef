"""The command line. Every command goes the same way as HTTP: through the services of `wiring`."""

import errno
import os
import sys

import typer

from authsvc import __version__
from authsvc.cli.commands import STYLE, Root
from authsvc.errors import AuthError, OperatorError, Unavailable
from authsvc.storage import complaints

app = typer.Typer(
    cls=Root,
    help="authsvc: an authentication service. Start with `authsvc dev`.",
    no_args_is_help=True,
    **STYLE,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"authsvc {__version__}")
        raise typer.Exit


@app.callback()
def common(
    _version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """authsvc: an authentication service. Start with `authsvc dev`."""


def main() -> None:
    """Run the command line; what the operator can mend is a sentence, not a traceback."""
    try:
        app()
    except Unavailable as error:
        _give_up(complaints.of_database(error))
    except (OperatorError, AuthError) as error:
        _give_up(str(error))
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EIO, errno.EBADF}:
            raise
        # What is still in its buffer would be tried once more at the end, with a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _give_up(f"Standard output cannot be written to ({error.strerror}).")


def _give_up(sentence: str) -> None:
    typer.secho(sentence, err=True, fg="red" if sys.stderr.isatty() else None)
    sys.exit(1)
